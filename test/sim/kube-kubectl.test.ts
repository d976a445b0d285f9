import { expect, test } from 'vitest'
import { servedCluster } from '../helpers/kube.js'

const deployment = (spec: Record<string, unknown> = {}, container: Record<string, unknown> = {}): unknown => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'web:1', env: [{ name: 'A', value: '1' }, { name: 'B', value: '2' }], ...container }] },
    },
    ...spec,
  },
})

test('kubectl applies, waits, follows a rollout, undoes it and deletes', async () => {
  const { kubectl, kubectlWith } = await servedCluster({ readyAfterMs: () => 5_000 })
  const env = async (): Promise<string> => (await kubectl('get', 'deploy', 'web', '-o', 'jsonpath={..env[*].name}')).stdout
  expect((await kubectlWith(deployment(), 'apply', '-f', '-')).stdout).toContain('created')
  expect((await kubectlWith(deployment(), 'apply', '-f', '-')).stdout).toContain('unchanged')
  expect((await kubectl('wait', '--for=condition=Available', 'deploy/web', '--timeout=60s')).code).toBe(0)
  const changed = deployment({}, { image: 'web:2', env: [{ name: 'A', value: '1' }, { name: 'C', value: '3' }] })
  expect((await kubectlWith(changed, 'apply', '-f', '-')).stdout).toContain('configured')
  // What was applied before and is left out now is gone: a strategic merge with its deletions.
  expect(await env()).toBe('A C')
  expect((await kubectl('rollout', 'status', 'deploy/web', '--timeout=60s')).stdout).toContain('successfully rolled out')
  expect((await kubectl('rollout', 'undo', 'deploy/web')).code).toBe(0)
  expect(await env()).toBe('A B')
  expect((await kubectl('delete', 'deploy', 'web', '--cascade=foreground')).code).toBe(0)
  expect((await kubectl('get', 'deploy,rs,pods', '-o', 'name')).stdout).toBe('')
})

test('kubectl makes namespaces and secrets, whose bodies are protobuf', async () => {
  const { kubectl } = await servedCluster()
  expect((await kubectl('create', 'namespace', 'hub')).stdout).toBe('namespace/hub created\n')
  expect((await kubectl('create', 'secret', 'generic', 'keys', '-n', 'hub', '--from-literal=cookie=c2VjcmV0')).code).toBe(0)
  expect((await kubectl('create', 'configmap', 'map', '-n', 'hub', '--from-literal=a=b')).code).toBe(0)
  expect((await kubectl('create', 'deployment', 'web', '-n', 'hub', '--image=web', '--port=80', '--replicas=2')).code).toBe(0)
  expect((await kubectl('get', 'secret', 'keys', '-n', 'hub', '-o', 'go-template={{.data.cookie|base64decode}}')).stdout).toBe('c2VjcmV0')
  expect((await kubectl('get', 'configmap', 'map', '-n', 'hub', '-o', 'jsonpath={.data}')).stdout).toBe('{"a":"b"}')
  expect((await kubectl('delete', 'secret', 'keys', '-n', 'hub')).code).toBe(0)
  expect((await kubectl('get', 'secret', 'keys', '-n', 'hub')).stderr).toContain('Error from server (NotFound): secrets "keys" not found')
})

test('K23: what kubectl can be asked for is what a cluster has', async () => {
  const { kubectl, helm } = await servedCluster()
  const kinds = (await kubectl('api-resources', '-o', 'name')).stdout.split('\n')
  for (const kind of ['deployments.apps', 'poddisruptionbudgets.policy', 'networkpolicies.networking.k8s.io', 'priorityclasses.scheduling.k8s.io']) {
    expect(kinds).toContain(kind)
  }
  expect((await kubectl('explain', 'deployment.spec.template.spec.volumes.nfs')).stdout).toContain('server')
  expect((await kubectl('get', '--raw', '/readyz')).stdout).toBe('ok')
  expect((await kubectl('auth', 'can-i', 'create', 'deployments')).stdout).toBe('yes\n')
  expect((await kubectl('version', '-o', 'json')).stdout).toContain('v1.33.2')
  expect((await helm('list', '-A')).code).toBe(0)
})

test('K1: a client with another token, or none, is not let in', async () => {
  const { kubectl, helm, call, kubeconfigWith, cluster } = await servedCluster()
  const flags = ['--kubeconfig', kubeconfigWith('another-token')]
  const asked = await kubectl('get', 'namespaces', ...flags)
  expect(asked.code).toBe(1)
  expect(asked.stderr).toContain('You must be logged in')
  const listed = await helm('list', ...flags)
  expect(listed.code).toBe(1)
  expect(listed.stderr).toContain('provide credentials')
  const made = await call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } }, { authorization: '' })
  expect(made).toMatchObject({ status: 401, body: { kind: 'Status', reason: 'Unauthorized' } })
  expect((await call('GET', '/readyz', undefined, { authorization: 'Bearer ' })).status).toBe(401)
  expect(cluster.objects('Namespace').map(({ metadata }) => metadata.name)).not.toContain('x')
})

test('K3: strict validation names an unknown field; a lenient client is warned and loses it', async () => {
  const { kubectlWith } = await servedCluster()
  const typo = deployment({ replicass: 3 }, { imagePullPolice: 'Always' })
  const refused = await kubectlWith(typo, 'apply', '-f', '-')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('unknown field "spec.replicass"')
  expect(refused.stderr).toContain('unknown field "spec.template.spec.containers[0].imagePullPolice"')
  const warned = await kubectlWith(typo, 'apply', '--validate=warn', '-o', 'json', '-f', '-')
  expect(warned.code).toBe(0)
  expect(warned.stderr).toContain('Warning: unknown field "spec.replicass"')
  expect(warned.stdout).not.toContain('imagePullPolice"')
  const wrong = await kubectlWith({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: true } }, 'apply', '-f', '-')
  expect(wrong.stderr).toContain('cannot unmarshal bool')
})

test.each([
  ['PersistentVolume', { spec: { nfs: { server: '10.240.0.7', path: '/a', readonly: true }, capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany'] } }],
  ['PersistentVolumeClaim', { spec: { storageClass: '', accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } } }],
  ['Service', { spec: { port: 80, ports: [{ port: 80 }] } }],
  ['ConfigMap', { dat: {} }],
  ['Secret', { stringdata: {} }],
])('K3: %s too is read strictly', async (kind, rest) => {
  const { kubectlWith } = await servedCluster()
  const refused = await kubectlWith({ apiVersion: 'v1', kind, metadata: { name: 'x' }, ...rest }, 'create', '-f', '-')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/strict decoding error: unknown field/)
})

test('K6: with server-side apply what is left out goes, and what others set stays', async () => {
  const { kubectl, kubectlWith } = await servedCluster()
  const map = (data: Record<string, string>): unknown => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data })
  const apply = (manager: string, data: Record<string, string>, ...more: string[]): ReturnType<typeof kubectl> =>
    kubectlWith(map(data), 'apply', '--server-side', `--field-manager=${manager}`, ...more, '-f', '-')
  const data = async (): Promise<unknown> => JSON.parse((await kubectl('get', 'configmap', 'm', '-o', 'jsonpath={.data}')).stdout)
  await apply('one', { a: '1', b: '1' })
  await apply('two', { c: '2' })
  expect(await data()).toEqual({ a: '1', b: '1', c: '2' })
  expect((await apply('one', { a: '1' })).code).toBe(0)
  expect(await data()).toEqual({ a: '1', c: '2' })
  const contested = await apply('two', { a: '3' })
  expect(contested.stderr).toContain('Apply failed with 1 conflict: conflict with "one"')
  expect(await data()).toEqual({ a: '1', c: '2' })
  expect((await apply('two', { a: '3' }, '--force-conflicts')).code).toBe(0)
  expect(await data()).toEqual({ a: '3' })
})
