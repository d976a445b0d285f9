import { describe, expect, it } from 'vitest'
import { readinessIn } from '../helpers/readiness.js'
import { served } from '../helpers/served.js'
import { doorsTo } from '../helpers/steps.js'
import { cloudFile, readCloud, worldFile, type WorldFile } from '../helpers/worlds.js'

const zone = 'datahub.berkeley.edu'
const [server, other] = ['ns1-07.azure-dns.com', 'ns2-07.azure-dns.net']

/** The world with CAA records at a name of the zone, beside its other records with this TTL. */
const zoneWith = (caa: readonly { name: string; values: string[] }[], ttl = 60) =>
  worldFile(({ zones }: WorldFile) => {
    for (const { records } of zones) {
      for (const record of records) record.ttl = ttl
      records.push(...caa.map(({ name, values }) => ({ name, values, type: 'CAA', ttl: 300 })))
    }
  })

const warnings = async (file: string) => {
  await using world = await served(file)
  const { code, findings } = await readinessIn(world)
  expect(code).toBe(0)
  return findings.filter(({ steps }) => steps.some((step) => step.endsWith('-dns')))
}

describe('R2: CAA records', () => {
  it('are served for the name they stand at, and for no other', async () => {
    await using world = await served(zoneWith([{ name: '@', values: ['0 issue "digicert.com; account=1"', '0 iodef "mailto:a@b.example"'] }]))
    const { doors } = await doorsTo(world.cloudPath)
    const found = [...(await doors.dns.caa(server, zone))].sort((a, b) => a.tag.localeCompare(b.tag))
    expect(found).toEqual([{ tag: 'iodef', value: 'mailto:a@b.example' }, { tag: 'issue', value: 'digicert.com; account=1' }])
    expect(await doors.dns.caa(server, `data100.${zone}`)).toEqual([])
  })

  it('that keep the issuer out are a warning, told once for both hubs', async () => {
    expect(await warnings(zoneWith([{ name: '@', values: ['0 issue "digicert.com"'] }]))).toEqual([
      { level: 'warn', steps: ['staging-dns', 'prod-dns'], what: expect.stringMatching(/CAA.*only digicert\.com/) as string, mend: expect.stringContaining('letsencrypt.org') as string },
    ])
  })

  it('that let the issuer in, or restrict nobody, are none; the nearest to the name decide', async () => {
    const near = { name: 'data100', values: ['0 issue "letsencrypt.org; validationmethods=dns-01"'] }
    const found = await warnings(zoneWith([near, { name: 'data100s', values: ['0 iodef "mailto:a@b.example"'] }, { name: '@', values: ['0 issue ";"'] }]))
    expect(found).toEqual([])
  })
})

describe('the TTL in force', () => {
  it('is a warning where users would see the old address for long, with how long', async () => {
    const found = await warnings(zoneWith([], 3600))
    const told = found.filter(({ what }) => what.includes('TTL')).map(({ level, steps, what }) => [level, ...steps, /lowered (.*) before|$/.exec(what)?.[1]])
    expect(told).toEqual([
      ['warn', 'staging-dns', '60 min'],
      ['warn', 'prod-dns', '60 min'],
    ])
  })

  it('is none at a minute', async () => {
    expect(await warnings(zoneWith([], 60))).toEqual([])
  })
})

describe('a name server of the zone', () => {
  it.each([
    ['is a warning where another one answers: a hub is not left down for it', [other], 0, 'warn'],
    ['stops the run where none answers: it is this place that they cannot be asked from', [server, other], 4, 'stop'],
  ] as const)('that does not answer %s, told once for all records', async (_, silent, expected, level) => {
    await using world = await served()
    const cloud = cloudFile(world.cloudPath, ({ reach }) => silent.forEach((one) => (reach.nameServers[one] = '127.0.0.1:9')))
    const { code, findings } = await readinessIn(world, { cloud })
    expect(code).toBe(expected)
    expect(findings).toContainEqual({
      level,
      steps: ['staging-dns', 'prod-dns'],
      what: expect.stringContaining(`zone ${zone}: the name server ${other} does not answer`) as string,
      mend: expect.stringContaining('dig NS') as string,
    })
  })

  it('that does not know the zone stops the run', async () => {
    await using world = await served()
    await using stranger = await served(worldFile(({ zones }) => zones.forEach((one) => (one.id = one.id.replace(zone, 'other.example')))))
    const elsewhere = await doorsTo(stranger.cloudPath)
    await expect(elsewhere.doors.dns.ask(other, `data100.${zone}`, 'A')).rejects.toMatchObject({ code: 'dns.refused' })
    const address = readCloud(stranger.cloudPath).reach.nameServers[other] ?? ''
    const cloud = cloudFile(world.cloudPath, ({ reach }) => void (reach.nameServers[other] = address))
    const { code, findings } = await readinessIn(world, { cloud })
    expect(code).toBe(4)
    expect(findings).toContainEqual(expect.objectContaining({ level: 'stop', what: `zone ${zone}: the name server ${other} refuses` }))
  })
})
