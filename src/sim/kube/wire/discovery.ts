import { kinds, type Kind } from '../kinds.js'

const writing = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

const groups = [...new Set(kinds.map((kind) => kind.group))].filter((group) => group !== '')

/** Reviews: kinds that are only ever asked, never kept. */
export const reviews: Readonly<Record<string, readonly { plural: string; kind: string; namespaced?: boolean }[]>> = {
  'authorization.k8s.io/v1': [
    { plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview' },
    { plural: 'selfsubjectrulesreviews', kind: 'SelfSubjectRulesReview' },
  ],
  'authentication.k8s.io/v1': [{ plural: 'selfsubjectreviews', kind: 'SelfSubjectReview' }],
}

/** `/apis`. */
export function groupList(): unknown {
  const names = [...groups, ...Object.keys(reviews).map((one) => one.split('/')[0] ?? '')]
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: names.map(groupOf) }
}

function versionsOf(group: string): string[] {
  const found = new Set(kinds.filter((kind) => kind.group === group).map((kind) => kind.version))
  return found.size > 0 ? [...found] : ['v1']
}

function groupOf(name: string): unknown {
  const versions = versionsOf(name).map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions, preferredVersion: versions[0] }
}

/** `/apis/GROUP`; undefined if there is no such group. */
export function group(name: string): unknown {
  if (!groups.includes(name) && !(`${name}/v1` in reviews)) return undefined
  return { kind: 'APIGroup', apiVersion: 'v1', ...(groupOf(name) as object) }
}

/** `/api`. */
export function coreVersions(): unknown {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:443' }] }
}

/** `/api/v1` and `/apis/GROUP/VERSION`; undefined if there is no such version. */
export function resourceList(apiVersion: string): unknown {
  const asked = reviews[apiVersion]
  const ofVersion = kinds.filter((kind) => kind.apiVersion === apiVersion)
  if (ofVersion.length === 0 && !asked) return undefined
  const resources = [
    ...ofVersion.flatMap(resourcesOf),
    ...(asked ?? []).map((one) => ({ name: one.plural, singularName: one.kind.toLowerCase(), namespaced: false, kind: one.kind, verbs: ['create'] })),
  ]
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersion, resources }
}

function resourcesOf(kind: Kind): unknown[] {
  const main = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: writing,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
  }
  const subs = kind.subresources.map((sub) => ({
    name: `${kind.plural}/${sub}`,
    singularName: '',
    namespaced: kind.namespaced,
    kind: sub === 'scale' ? 'Scale' : sub === 'eviction' ? 'Eviction' : kind.kind,
    ...(sub === 'scale' ? { group: 'autoscaling', version: 'v1' } : {}),
    verbs: verbsOf(sub),
  }))
  return [main, ...subs]
}

function verbsOf(sub: string): string[] {
  if (sub === 'log') return ['get']
  return sub === 'eviction' ? ['create'] : ['get', 'patch', 'update']
}

/** The aggregated discovery of `/api` (core) or `/apis` (all the others): one answer instead of twenty. */
export function aggregated(core: boolean): unknown {
  const names = core ? [''] : [...groups, ...Object.keys(reviews).map((one) => one.split('/')[0] ?? '')]
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: names.map((name) => ({
      metadata: name === '' ? {} : { name },
      versions: versionsOf(name).map((version) => ({
        version,
        freshness: 'Current',
        resources: aggregatedResources(name === '' ? version : `${name}/${version}`),
      })),
    })),
  }
}

function aggregatedResources(apiVersion: string): unknown[] {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  const asked = (reviews[apiVersion] ?? []).map((one) => ({
    resource: one.plural,
    responseKind: { group, version, kind: one.kind },
    scope: 'Cluster',
    singularResource: one.kind.toLowerCase(),
    verbs: ['create'],
  }))
  return [...kinds.filter((kind) => kind.apiVersion === apiVersion).map(aggregatedResource), ...asked]
}

function aggregatedResource(kind: Kind): unknown {
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: writing,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    subresources: kind.subresources.map((sub) => ({
      subresource: sub,
      responseKind:
        sub === 'scale' ? { group: 'autoscaling', version: 'v1', kind: 'Scale' } : { group: kind.group, version: kind.version, kind: kind.kind },
      verbs: verbsOf(sub),
    })),
  }
}

/** `/version`, for charts with a kubeVersion. */
export function version(gitVersion: string): unknown {
  const [major = '1', minor = '0'] = gitVersion.split('.')
  return {
    major,
    minor,
    gitVersion: `v${gitVersion}`,
    gitCommit: '0000000000000000000000000000000000000000',
    gitTreeState: 'clean',
    buildDate: '2019-02-25T00:00:00Z',
    goVersion: 'go1.24.0',
    compiler: 'gc',
    platform: 'linux/amd64',
  }
}
