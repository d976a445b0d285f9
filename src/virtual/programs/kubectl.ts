import type { KubeObject } from '../../sim/kube/cluster.js'
import { kinds, type Kind } from '../../sim/kube/kinds.js'
import { readArgs, type Args } from './args.js'
import { KubeClient, noCredentials, Refused, Unreachable, urlOfKind, type ClusterAt } from './kube-client.js'
import { ended, failed, type Program, type ProgramEnd, type Surroundings } from './program.js'

const version = 'v1.35.0'

const withValue: ReadonlySet<string> = new Set(['-n', '-o', '--kubeconfig', '--context', '--request-timeout'])

/** kubectl, as far as its door uses it: `version --client -o json`, `get KIND [NAME] -o json`, `delete KIND NAME --ignore-not-found`. */
export function kubectlModel(clusterAt: ClusterAt): Program {
  return async (args, at) => {
    const read = readArgs(args, withValue)
    const [verb, kindName = '', name] = read.words
    if (verb === 'version') return ended(`${JSON.stringify({ clientVersion: { gitVersion: version } }, null, 2)}\n`)
    const isKnown = (verb === 'get' && read.value('-o') === 'json') || (verb === 'delete' && name !== undefined)
    if (!isKnown) return failed(1, `error: the model does not know this form: kubectl ${args.join(' ')}`)
    try {
      return await onObjects(clusterAt, at, { verb, kindName, name, read })
    } catch (error) {
      if (error instanceof Unreachable) return failed(1, `Unable to connect to the server: ${error.message.replace(/^.*": /, '')}`)
      if (error instanceof Refused) return failed(1, said(error))
      throw error
    }
  }
}

interface Wish {
  readonly verb: string
  readonly kindName: string
  readonly name: string | undefined
  readonly read: Args
}

async function onObjects(clusterAt: ClusterAt, at: Surroundings, { verb, kindName, name, read }: Wish): Promise<ProgramEnd> {
  const client = KubeClient.open(at, clusterAt, read.value('--kubeconfig') ?? '', 'kubectl/model')
  const namespace = read.value('-n') ?? 'default'
  // What kinds there are is asked first, and needs to be let in.
  await client.send('GET', '/api')
  const kind = kindCalled(kindName)
  if (kind === undefined) return failed(1, `error: the server doesn't have a resource type "${kindName}"`)
  const url = urlOfKind(kind, namespace)
  if (verb === 'delete') return remove(client, at, { kind, name: name ?? '', url, mayBeGone: read.has('--ignore-not-found'), namespace })
  if (name !== undefined) return ended(text((await client.send('GET', `${url}/${name}`)) as KubeObject))
  const items = await client.list(url)
  const list = { apiVersion: 'v1', items: items.map(shown), kind: 'List', metadata: { resourceVersion: '' } }
  return ended(`${JSON.stringify(list, null, 4)}\n`)
}

interface Removal {
  readonly kind: Kind
  readonly name: string
  readonly url: string
  readonly namespace: string
  readonly mayBeGone: boolean
}

/** Waits until it is gone, as kubectl does unless told otherwise. */
async function remove(client: KubeClient, at: Surroundings, { kind, name, url, namespace, mayBeGone }: Removal): Promise<ProgramEnd> {
  const where = `${url}/${name}`
  if ((await client.find(where)) === undefined) return mayBeGone ? ended('') : failed(1, `Error from server (NotFound): ${kind.id} "${name}" not found`)
  await client.send('DELETE', where, { propagationPolicy: 'Background' })
  while ((await client.find(where)) !== undefined) await at.sleep(200)
  return ended(`${kind.singular}${kind.group === '' ? '' : `.${kind.group}`} "${name}" deleted${kind.namespaced ? ` from ${namespace} namespace` : ''}\n`)
}

function said({ status, reason, message }: Refused): string {
  if (status === 401) return `error: You must be logged in to the server (${noCredentials})`
  return `Error from server (${reason}): ${message}`
}

function kindCalled(name: string): Kind | undefined {
  const wanted = name.toLowerCase()
  return kinds.find(({ plural, singular, shortNames, id }) => [plural, singular, id, ...shortNames].includes(wanted))
}

function text(object: KubeObject): string {
  return `${JSON.stringify(shown(object), null, 4)}\n`
}

/** Without what is left out unless it is asked for. */
function shown(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}
