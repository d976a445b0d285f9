import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Change, LifeboatError } from '../../src/contract/index.js'
import { RecordedChildren } from '../helpers/doors.js'
import { writeChart } from '../helpers/kube.js'
import { kubeServer } from '../helpers/kube-server.js'
import { planted } from '../helpers/leaks.js'
import { release, releaseStep, type KubeServer } from '../helpers/release.js'
import { secretsOf } from '../helpers/steps.js'
import { tempFolder } from '../helpers/temp-folder.js'

const ofProxy = planted('of-the-proxy')
const token = `${ofProxy}-"quoted", and a comma`
const settings = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data:
  values.json: {{ toJson .Values | quote }}
---
apiVersion: v1
kind: Secret
metadata: { name: hub }
stringData: { token: {{ required "proxy.secretToken is wanted" .Values.proxy.secretToken | quote }} }
`
const chart = (templates: Record<string, string> = { 'settings.yaml': settings }): string => writeChart(tempFolder(), 'hub', templates, 'proxy: {}\nfrom: chart\n')

const secrets = { 'proxy.secretToken': { env: 'TOKEN' } }

function site(server: KubeServer, inputs: Record<string, unknown>, { value = token, key = 'of this machine', children = new RecordedChildren() } = {}) {
  return releaseStep(server, { values: {}, addressFrom: undefined, ...inputs }, { secrets: secretsOf({ TOKEN: value }, key), children })
}

function file(text: string): string {
  const path = join(tempFolder(), 'values.yaml')
  writeFileSync(path, text)
  return path
}

const failure = (promise: Promise<unknown>): Promise<LifeboatError> =>
  promise.then(() => Promise.reject(new Error('it did not fail')), (error: unknown) => error as LifeboatError)

describe('the values of a release', () => {
  it('are those of the files in their order, then values, set and secrets', async () => {
    await using server = await kubeServer()
    const valuesFiles = [file('from: first\na: [one, two]\nb: { x: 1, w: 1 }\nz: first\n'), file('from: second\nb: { w: 2 }\nz: second\n')]
    const given = { chart: chart(), valuesFiles, values: { from: 'values', b: { z: 3 } }, set: { from: 'set', 'a[1]': 'three', 'dotted\\.key': true }, secrets }
    await site(server, given).make()
    const { kube, helm } = server.doors()
    const map = (await kube.get(release.cluster, release.namespace, 'configmap', 'settings')) as { data: { 'values.json': string } }
    expect(JSON.parse(map.data['values.json'])).toEqual({
      ...{ from: 'set', a: ['one', 'three'], b: { x: 1, w: 2, z: 3 }, z: 'second', 'dotted.key': true },
      proxy: { secretToken: token },
    })
    expect(await helm.values(release)).toMatchObject({ proxy: { secretToken: token } })
    expect(await site(server, given).see()).toMatchObject({ state: 'converged' })
  })

  it('that are others in a file, or set, are an upgrade', async () => {
    await using server = await kubeServer()
    const given = { chart: chart(), secrets, valuesFiles: [file('a: 1')], set: { b: 1 } }
    await site(server, given).make()
    const others = [{ ...given, valuesFiles: [file('a: 2')] }, { ...given, set: { b: 2 } }, { ...given, set: {} }]
    for (const other of others) expect(await site(server, other).plan()).toMatchObject([{ action: 'update' }])
  })
})

describe('the secrets of a release', () => {
  it('stand in its changes as a reference and a keyed digest', async () => {
    await using server = await kubeServer()
    const [change] = await site(server, { chart: chart(), secrets }).plan()
    expect(change?.after).toMatchObject({ secrets: { 'proxy.secretToken': { env: 'TOKEN', digest: expect.stringMatching(/^keyed:/) as string } } })
    expect(JSON.stringify(change)).not.toContain(ofProxy)
  })

  it('are compared with the live ones: another machine with the same values has nothing to do', async () => {
    await using server = await kubeServer()
    const given = { chart: chart(), secrets }
    await site(server, given).make()
    expect(await site(server, given, { key: 'of another machine' }).see()).toMatchObject({ state: 'converged' })
    const other = site(server, given, { value: 'another' })
    const changes = await other.plan()
    expect(changes).toMatchObject([{ action: 'update', before: { otherSecrets: ['proxy.secretToken'] } }])
    expect(JSON.stringify(changes)).not.toMatch(new RegExp(`${ofProxy}|another"`))
    await other.apply(changes)
    expect(await server.doors().helm.values(release)).toEqual({ proxy: { secretToken: 'another' } })
  })

  it('that are taken out of the runbook are taken out of the release', async () => {
    await using server = await kubeServer()
    const given = { chart: chart(), secrets, set: { 'proxy.other': 1 } }
    await site(server, { ...given, secrets: { ...secrets, extra: { env: 'TOKEN' } } }).make()
    await site(server, given).make()
    expect(await server.doors().helm.values(release)).toEqual({ proxy: { secretToken: token, other: 1 } })
  })

  it('that changed between the plan and the run are not handed to helm', async () => {
    await using server = await kubeServer()
    const env = { TOKEN: token }
    const step = releaseStep(server, { values: {}, addressFrom: undefined, chart: chart(), secrets }, { secrets: secretsOf(env) })
    const changes = await step.plan()
    env.TOKEN = 'another'
    expect((await failure(step.apply(changes))).code).toBe('secret.changed')
    expect(await server.doors().helm.history(release)).toEqual([])
  })

  it('are in no argument, no journal and no file once helm is done', async () => {
    await using server = await kubeServer()
    const children = new RecordedChildren()
    const step = site(server, { chart: chart(), secrets }, { children })
    await step.make()
    expect(children.startedOnes.length).toBeGreaterThan(0)
    expect(JSON.stringify(children.startedOnes)).not.toContain(ofProxy)
    for (const folder of server.folders) {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      for (const { parentPath, name } of files) expect(readFileSync(join(parentPath, name), 'latin1'), name).not.toContain(ofProxy)
    }
  })

  const leaky = { 'leak.yaml': '{{ fail (printf "bad token %s, %s" .Values.proxy.secretToken (b64enc .Values.proxy.secretToken)) }}' }
  const strange = `
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Values.proxy.secretToken | quote }} }
`
  it.each([
    ['the template that quotes it', leaky],
    ['YAML that it spoils', { 'spoilt.yaml': 'kind: ConfigMap\nmetadata: { name: a }\n{{ .Values.proxy.secretToken }}: [' }],
  ])('are struck out of what helm says of %s, in the dry run and in the run', async (_, templates) => {
    await using server = await kubeServer()
    const step = site(server, { chart: chart(templates), secrets })
    const changes: readonly Change[] = await step.plan()
    const findings = await step.module.preflight(changes, step.inputs, step.ctx)
    expect(findings).toMatchObject([{ level: 'stop', what: expect.stringContaining('cannot be rendered') as string }])
    const error = await failure(step.apply(changes))
    expect(error.code).toBe('helm.chart')
    const told = JSON.stringify([findings, error.message, error.hint])
    expect(told).not.toContain(ofProxy)
    expect(told).not.toContain(Buffer.from(token).toString('base64'))
  })

  it('are struck out of what the API server says of an object', async () => {
    await using server = await kubeServer()
    const step = site(server, { chart: chart({ 'strange.yaml': strange }), secrets })
    const error = await failure(step.make())
    expect(`${error.message} ${error.hint ?? ''}`).not.toContain(ofProxy)
    expect(error.message).toContain('***')
  })
})
