import { z } from 'zod'
import { LifeboatError } from '../contract/index.js'
import { durationMs, resourceId } from '../contract/inputs.js'
import type { HttpAnswer } from '../platform/http/door.js'
import type { Platform } from '../platform/platform.js'
import { defineStep, minutes, seconds } from './step.js'

const inputs = z
  .strictObject({
    host: z.string(),
    /** Address to ask; or `zone`, whose own name servers are asked for it. */
    address: z.string().optional(),
    zone: resourceId.optional(),
    path: z.string().startsWith('/'),
    /** `any` takes every certificate and says which it was. */
    tls: z.enum(['any', 'verify']),
    status: z.number().int().default(200),
    contains: z.string().optional(),
    within: durationMs.default(10 * minutes),
  })
  .refine(({ address, zone }) => (address === undefined) !== (zone === undefined), 'give either `address` or `zone`')
type Inputs = z.infer<typeof inputs>

/** Real milliseconds for one answer. */
const answerMs = 10 * seconds

/** Verifies that a host answers, by its name, at an address that its DNS need not have yet. Changes nothing. */
export const httpCheck = defineStep({
  uses: 'http/check',
  summary: 'An HTTPS answer, by name, from a given address',
  inputs,
  outputs: z.object({ address: z.string(), status: z.number(), certificate: z.string(), remark: z.string() }),
  identity: ['host', 'address', 'zone', 'path', 'tls', 'status', 'contains'],
  check: true,
  verification: ({ within }) => ({ everyMs: 5 * seconds, withinMs: within }),
  preflight: async () => [],
  async observe(wanted, { doors, signal }) {
    const { host, path, tls } = wanted
    const address = wanted.address ?? (await addressOf(host, wanted.zone ?? '', doors))
    const answer = await doors.http.get({ host, address, path, tls, timeoutMs: answerMs, signal })
    const wrong = wrongWith(answer, wanted)
    if (wrong !== undefined) return { state: 'unknown', why: `https://${host}${path} at ${address} ${wrong}` }
    const certificate = sayCertificate(answer)
    const accepted = tls === 'any' ? ' (any certificate was accepted)' : ''
    const remark = `${host} at ${address} shows a certificate ${certificate}${accepted}${adviceFor(answer, wanted)}`
    return { state: 'converged', outputs: { address, status: answer.status, certificate, remark } }
  },
  plan: () => [],
  apply: async () => undefined,
  invert: () => [],
  claims: () => [],
  estimateMs: () => 10 * seconds,
})

/** As the zone's own name servers give it; they must agree, or a student's browser may still be sent to the old place. */
async function addressOf(host: string, zone: string, { azure, dns }: Platform): Promise<string> {
  const servers = (await azure.zones.nameServers(zone)) ?? []
  const answers = await Promise.all(servers.map((server) => dns.ask(server, host, 'A')))
  const addresses = new Set(answers.map(({ values }) => values.join(', ')))
  const [address] = addresses
  if (addresses.size === 1 && address !== undefined && address !== '') return address.split(', ')[0] as string
  throw new LifeboatError('http.no-address', `the name servers of ${host} give ${addresses.size > 1 ? 'different addresses' : 'no address'}`, { retry: {} })
}

function wrongWith({ status, body }: HttpAnswer, wanted: Pick<Inputs, 'status' | 'contains'>): string | undefined {
  if (status !== wanted.status) return `answers ${status}, not ${wanted.status}: ${printable(body).slice(0, 120)}`
  if (wanted.contains !== undefined && !body.includes(wanted.contains)) return `answers without “${wanted.contains}”`
  return undefined
}

/** Before names lead there none can be issued; and one that has failed once does not come by itself (zero-to-jupyterhub #2150). */
function adviceFor({ certificate: { subject, trusted } }: HttpAnswer, { host, address }: Pick<Inputs, 'host' | 'address'>): string {
  if (trusted || address !== undefined || subject.toLowerCase() === host.toLowerCase()) return ''
  return '. If it stays so, look at what issues it: JupyterHub’s autohttps pod does not try again by itself, and has to be restarted'
}

function sayCertificate({ certificate }: HttpAnswer): string {
  const { subject, issuer, trusted } = certificate
  return `for ${printable(subject)} by ${printable(issuer)}${trusted ? '' : ', which is not trusted'}`
}

/** What a stranger says, fit for a terminal. */
function printable(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
}
