import type { Kind } from '../kinds.js'
import { fields, isFields, items, text, texts, type Fields, type KubeObject } from '../object.js'
import { quantity, specSelector } from '../selectors.js'
import { structOf } from '../schema/index.js'
import type { Cause } from '../status.js'

type Say = (field: string, message: string, reason?: Cause['reason']) => void

/** What the server refuses with 422, for what charts get wrong. Every finding, none if the object is valid. */
export function validate(kind: Kind, object: KubeObject): Cause[] {
  const causes: Cause[] = []
  const say: Say = (field, message, reason) => {
    const usual = message.startsWith('Required') ? 'FieldValueRequired' : 'FieldValueInvalid'
    causes.push({ field, message, reason: reason ?? usual })
  }
  validateMeta(kind, object, say)
  byKind[kind.id]?.(fields(object['spec']), say, object)
  return causes
}

const required = 'Required value'
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

function validateMeta(kind: Kind, object: KubeObject, say: Say): void {
  const { name, labels } = object.metadata
  const free = kind.group === 'rbac.authorization.k8s.io'
  const strict = kind.id === 'namespaces' || kind.id === 'services'
  if (name === '') say('metadata.name', `${required}: name or generateName is required`)
  else if (free ? /[/%]|^\.\.?$/.test(name) : !(strict ? label : subdomain).test(name) || name.length > (strict ? 63 : 253)) {
    say('metadata.name', `Invalid value: "${name}": a lowercase RFC 1123 ${strict ? 'label' : 'subdomain'} must consist of lower case `
      + "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character")
  }
  validateLabels(labels, 'metadata.labels', say)
}

function validateLabels(labels: unknown, field: string, say: Say): void {
  for (const value of Object.values(texts(labels))) {
    if (value.length > 63) say(field, `Invalid value: "${value}": must be no more than 63 bytes`)
    else if (!/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/.test(value)) {
      say(field, `Invalid value: "${value}": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or `
        + "'.', and must start and end with an alphanumeric character")
    }
  }
}

const byKind: Readonly<Record<string, (spec: Fields, say: Say, object: KubeObject) => void>> = {
  pods: (spec, say) => validatePodSpec(spec, 'spec', say),
  'deployments.apps': (spec, say) => validateWorkload(spec, say),
  'replicasets.apps': (spec, say) => validateWorkload(spec, say),
  'statefulsets.apps': (spec, say) => {
    validateWorkload(spec, say, items(spec['volumeClaimTemplates']).map((one) => text(fields(one['metadata'])['name'])))
  },
  'daemonsets.apps': (spec, say) => validateWorkload(spec, say),
  'jobs.batch': (spec, say) => {
    validatePodSpec(fields(fields(spec['template'])['spec']), 'spec.template.spec', say)
    if (fields(fields(spec['template'])['spec'])['restartPolicy'] === 'Always') {
      say('spec.template.spec.restartPolicy', `${required}: valid values: "OnFailure", "Never"`)
    }
  },
  services: validateService,
  persistentvolumes: validateVolume,
  persistentvolumeclaims: (spec, say) => {
    if (!nonEmpty(spec['accessModes'])) say('spec.accessModes', `${required}: at least 1 access mode is required`)
    if (quantity(fields(fields(spec['resources'])['requests'])['storage']) <= 0) say('spec.resources[storage]', required)
  },
  secrets: (_spec, say, object) => {
    for (const [key, value] of Object.entries(fields(object['data']))) {
      if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text(value))) say(`data[${key}]`, 'Invalid value: illegal base64 data')
    }
  },
  'rolebindings.rbac.authorization.k8s.io': validateBinding,
  'clusterrolebindings.rbac.authorization.k8s.io': validateBinding,
  'ingresses.networking.k8s.io': (spec, say) => {
    items(spec['rules']).forEach((rule, at) => {
      items(fields(rule['http'])['paths']).forEach((path, of) => {
        if (path['pathType'] === undefined) say(`spec.rules[${at}].http.paths[${of}].pathType`, `${required}: pathType must be specified`)
      })
    })
  },
  'storageclasses.storage.k8s.io': (_spec, say, object) => {
    if (text(object['provisioner']) === '') say('provisioner', required)
  },
}

function nonEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}

function validateWorkload(spec: Fields, say: Say, claims: readonly string[] = []): void {
  const template = fields(spec['template'])
  const labels = texts(fields(template['metadata'])['labels'])
  if (!isFields(spec['selector'])) say('spec.selector', required)
  else if (Object.keys(spec['selector']).length === 0) say('spec.selector', 'Invalid value: {}: empty selector is invalid for deployment')
  else if (!specSelector(spec['selector'])(labels)) {
    say('spec.template.metadata.labels', `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``)
  }
  validateLabels(labels, 'spec.template.metadata.labels', say)
  const pod = fields(template['spec'])
  validatePodSpec(pod, 'spec.template.spec', say, claims)
  if (pod['restartPolicy'] !== 'Always') {
    say('spec.template.spec.restartPolicy', `Unsupported value: "${text(pod['restartPolicy'])}": supported values: "Always"`)
  }
}

function validatePodSpec(spec: Fields, at: string, say: Say, claims: readonly string[] = []): void {
  if (!nonEmpty(spec['containers'])) say(`${at}.containers`, required)
  const sources = [...structOf('Volume').keys()].filter((name) => name !== 'name')
  const volumes = new Set(claims)
  items(spec['volumes']).forEach((volume, index) => {
    const field = `${at}.volumes[${index}]`
    const given = sources.filter((source) => volume[source] !== undefined)
    if (text(volume['name']) === '') say(`${field}.name`, required)
    if (given.length > 1) say(`${field}.${given[1] ?? ''}`, 'Forbidden: may not specify more than 1 volume type', 'FieldValueForbidden')
    volumes.add(text(volume['name']))
    for (const name of ['path', 'server']) {
      if (isFields(volume['nfs']) && text(volume['nfs'][name]) === '') say(`${field}.nfs.${name}`, required)
    }
  })
  for (const group of ['initContainers', 'containers']) {
    const names = new Set<string>()
    items(spec[group]).forEach((container, index) => {
      const field = `${at}.${group}[${index}]`
      const name = text(container['name'])
      if (name === '') say(`${field}.name`, required)
      if (names.has(name)) say(`${field}.name`, `Duplicate value: "${name}"`)
      names.add(name)
      if (text(container['image']) === '') say(`${field}.image`, required)
      items(container['volumeMounts']).forEach((mount, which) => {
        if (!volumes.has(text(mount['name']))) say(`${field}.volumeMounts[${which}].name`, `Not found: "${text(mount['name'])}"`)
        if (text(mount['mountPath']) === '') say(`${field}.volumeMounts[${which}].mountPath`, required)
      })
    })
  }
}

function validateService(spec: Fields, say: Say): void {
  const ports = items(spec['ports'])
  if (ports.length === 0 && spec['clusterIP'] !== 'None' && spec['type'] !== 'ExternalName') say('spec.ports', required)
  ports.forEach((port, at) => {
    if (ports.length > 1 && text(port['name']) === '') say(`spec.ports[${at}].name`, required)
    const number = port['port']
    if (typeof number !== 'number' || number < 1 || number > 65535) {
      say(`spec.ports[${at}].port`, `Invalid value: ${JSON.stringify(number)}: must be between 1 and 65535, inclusive`)
    }
  })
}

/** The fields of a volume's spec that say where its bytes are. */
export const volumeSources = [...structOf('PersistentVolumeSpec').keys()].filter(
  (name) =>
    structOf('Volume').has(name) || ['local', 'csi'].includes(name),
)

function validateVolume(spec: Fields, say: Say): void {
  if (!nonEmpty(spec['accessModes'])) say('spec.accessModes', required)
  if (quantity(fields(spec['capacity'])['storage']) <= 0) say('spec.capacity', required)
  const given = volumeSources.filter((name) => spec[name] !== undefined)
  if (given.length === 0) say('spec', `${required}: must specify a volume type`)
  if (given.length > 1) say(`spec.${given[1] ?? ''}`, 'Forbidden: may not specify more than 1 volume type', 'FieldValueForbidden')
  const nfs = spec['nfs']
  if (!isFields(nfs)) return
  if (text(nfs['server']) === '') say('spec.nfs.server', required)
  if (text(nfs['path']) === '') say('spec.nfs.path', required)
  if (text(nfs['path']).split('/').includes('..')) say('spec.nfs.path', `Invalid value: "${text(nfs['path'])}": must not contain '..'`)
}

function validateBinding(_spec: Fields, say: Say, object: KubeObject): void {
  const reference = fields(object['roleRef'])
  if (text(reference['name']) === '') say('roleRef.name', required)
  if (text(reference['kind']) === '') say('roleRef.kind', required)
}
