import { isPending, type Change, type Finding, type Json, type JsonObject, type Pending, type Planned } from '../../contract/index.js'
import type { Content } from '../../platform/azure/door.js'
import { nameOf } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'
import { groupOf } from '../step.js'
import { isMaking } from './readiness.js'

/** What a step will put: as it stands in its inputs, what is pending left out. */
export interface Made {
  readonly type: string
  readonly name?: Planned
  readonly location?: Planned
  readonly zones?: readonly string[]
  readonly properties?: { readonly [key: string]: Planned | undefined }
}

/** Does the subscription let these be made in this group (name or id)? Its resource providers, and what its policies deny. */
export async function governanceFindings(
  { azure }: Platform,
  changes: readonly Change[],
  group: string | Pending | undefined,
  made: readonly Made[],
): Promise<Finding[]> {
  if (!isMaking(changes)) return []
  const namespaces = [...new Set(made.map(({ type }) => type.split('/')[0] ?? ''))].filter((namespace) => !alwaysThere.has(namespace))
  const [providers, policies] = await Promise.all([
    Promise.all(namespaces.map((namespace) => providerFindings({ azure }, namespace))),
    Promise.all(made.map((one) => policyFindings({ azure }, group, contentOf(one)))),
  ])
  return [...providers.flat(), ...policies.flat()]
}

const alwaysThere: ReadonlySet<string> = new Set(['Microsoft.Resources', 'Microsoft.Authorization'])

async function providerFindings({ azure }: Pick<Platform, 'azure'>, namespace: string): Promise<Finding[]> {
  const state = await azure.governance.registration(namespace)
  // One that is being registered serves already (azure-docs, resource-providers-and-types).
  if (state === 'Registered' || state === 'Registering') return []
  const what = `this subscription has not registered the resource provider ${namespace} (${state ?? 'Azure does not know it'})`
  return [{ level: 'stop', what, mend: `Register it: \`az provider register --namespace ${namespace} --wait\`; it takes minutes.` }]
}

async function policyFindings({ azure }: Pick<Platform, 'azure'>, group: string | Pending | undefined, content: Content): Promise<Finding[]> {
  const found = await azure.governance.denials(group === undefined || isPending(group) ? undefined : groupOf(group), content)
  if (found === undefined) return [unasked]
  return found.map(({ policy, why }) => ({
    level: 'stop',
    what: `the policy ${nameOf(policy)} denies ${[content.type.split('/').at(-1), content.name].join(' ').trim()}${why.length === 0 ? '' : `, by its ${why.join(', ')}`}`,
    mend: `Have an exemption made (\`az policy exemption create --policy-assignment ${policy}\`), or write into the runbook what it allows.`,
  }))
}

const unasked: Finding = {
  level: 'warn',
  what: 'what Azure Policy would deny cannot be asked: this login may not, or Microsoft.PolicyInsights is not registered',
  mend: 'Give it Microsoft.PolicyInsights/*/action, or register that provider, while there is time. A denial is found when something is made otherwise.',
}

function contentOf({ type, name, location, zones, properties }: Made): Content {
  return {
    type,
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof location === 'string' ? { location } : {}),
    ...(zones === undefined || zones.length === 0 ? {} : { zones }),
    ...(properties === undefined ? {} : { properties: knownIn(properties) as JsonObject }),
  }
}

/** A value without the parts that are only known after other steps. */
function knownIn(value: Planned | undefined): Json | undefined {
  if (isPending(value) || value === undefined) return undefined
  if (Array.isArray(value)) return value.flatMap((one: Planned) => knownIn(one) ?? [])
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).flatMap(([key, part]) => {
    const known = knownIn(part)
    return known === undefined ? [] : [[key, known] as const]
  })
  return Object.fromEntries(entries)
}
