import { fields, isFields, items, text, type Fields } from '../object.js'

/** Sets what is not set. */
export function fill(object: Fields, defaults: Fields): void {
  for (const [key, value] of Object.entries(defaults)) if (object[key] === undefined) object[key] = value
}

/** The object in a field, made if absent. */
export function inside(object: Fields, key: string): Fields {
  const there = object[key]
  if (isFields(there)) return there
  const made: Fields = {}
  object[key] = made
  return made
}

/** What the server fills into a pod's spec. */
export function defaultPodSpec(spec: Fields): void {
  fill(spec, {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
    securityContext: {},
  })
  const account = spec['serviceAccountName'] ?? spec['serviceAccount']
  if (account !== undefined) fill(spec, { serviceAccountName: account, serviceAccount: account })
  for (const container of [...items(spec['containers']), ...items(spec['initContainers'])]) defaultContainer(container)
  for (const volume of items(spec['volumes'])) defaultVolume(volume)
}

function defaultContainer(container: Fields): void {
  const image = text(container['image'])
  const tag = /:([^/:@]+)$/.exec(image)?.[1]
  const latest = !image.includes('@') && (tag === undefined || tag === 'latest')
  fill(container, {
    imagePullPolicy: latest ? 'Always' : 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    resources: {},
  })
  for (const port of items(container['ports'])) fill(port, { protocol: 'TCP' })
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (isFields(container[name])) defaultProbe(container[name])
  }
  for (const hook of Object.values(fields(container['lifecycle']))) defaultHttpGet(fields(hook)['httpGet'])
  for (const one of items(container['env'])) {
    const field = fields(one['valueFrom'])['fieldRef']
    if (isFields(field)) fill(field, { apiVersion: 'v1' })
  }
}

function defaultProbe(probe: Fields): void {
  fill(probe, { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 })
  defaultHttpGet(probe['httpGet'])
}

function defaultHttpGet(httpGet: unknown): void {
  if (isFields(httpGet)) fill(httpGet, { path: '/', scheme: 'HTTP' })
}

function defaultVolume(volume: Fields): void {
  if (Object.keys(volume).length === 1 && volume['name'] !== undefined) volume['emptyDir'] = {}
  for (const name of ['configMap', 'secret', 'projected', 'downwardAPI']) {
    const source = volume[name]
    if (isFields(source)) fill(source, { defaultMode: 0o644 })
  }
  const hostPath = volume['hostPath']
  if (isFields(hostPath)) fill(hostPath, { type: '' })
  for (const source of items(fields(volume['projected'])['sources'])) {
    const token = source['serviceAccountToken']
    if (isFields(token)) fill(token, { expirationSeconds: 3600 })
  }
}
