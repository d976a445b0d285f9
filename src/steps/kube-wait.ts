import { z } from 'zod'
import { LifeboatError } from '../contract/index.js'
import { durationMs, resourceId } from '../contract/inputs.js'
import { fulfilment, parseAwaited } from './parts/kube-condition.js'
import { defineStep, minutes, seconds } from './step.js'

/** Nothing that kubectl could take for a flag. */
const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:-]*$/, 'letters, digits, `.`, `:` and `-`, starting with a letter or digit')

const inputs = z.strictObject({
  /** Resource id of the cluster. */
  cluster: resourceId,
  /** Of no matter for what has no namespace, as nodes and volumes. */
  namespace: word.default('default'),
  /** As kubectl takes it: `deployment`, `certificates.cert-manager.io`. */
  kind: word,
  name: word,
  /** In the words of `kubectl wait --for`. */
  for: z.string().refine((text) => parseAwaited(text) !== undefined, {
    message: 'write it as for `kubectl wait`: condition=Available, condition=Ready=False, jsonpath={.status.phase}=Bound, create, or delete',
  }),
  within: durationMs.default(10 * minutes),
})
type Inputs = z.infer<typeof inputs>

/** Waits until an object of a cluster is so. Changes nothing. */
export const kubeWait = defineStep({
  uses: 'kube/wait',
  summary: 'A condition of any object in a cluster',
  inputs,
  outputs: z.object({ value: z.string() }),
  identity: ['cluster', 'namespace', 'kind', 'name', 'for'],
  check: true,
  verification: ({ within }) => ({ everyMs: 5 * seconds, withinMs: within }),
  preflight: async (_changes, _wanted, { doors }) => {
    await doors.kube.version()
    return []
  },
  async observe(wanted, { doors }) {
    const { cluster, namespace, kind, name } = wanted
    const awaited = parseAwaited(wanted.for)
    if (awaited === undefined) throw new LifeboatError('tool.bug', `${wanted.for} passed the schema`, { blame: 'tool' })
    try {
      const result = fulfilment(awaited, await doors.kube.get(cluster, namespace, kind, name), isSecret(kind))
      if (result.holds) return { state: 'converged', outputs: { value: result.value } }
      return { state: 'in-flight', what: `${label(wanted)}: ${result.last}; waiting for ${wanted.for}` }
    } catch (error) {
      if (!(error instanceof LifeboatError) || error.code !== 'kube.no-kind') throw error
      return { state: 'conflict', why: error.message, mend: 'Look at `kubectl api-resources`; a kind of an operator is there once that is installed.' }
    }
  },
  plan: () => [],
  apply: async () => undefined,
  invert: () => [],
  claims: () => [],
  estimateMs: () => 30 * seconds,
})

function label({ namespace, kind, name }: Pick<Inputs, 'namespace' | 'kind' | 'name'>): string {
  return `${kind} ${namespace}/${name}`
}

/** As kubectl takes it: with its version and an empty group behind it, or without. */
const isSecret = (kind: string): boolean => /^secrets?(\.v1)?\.?$/i.test(kind)
