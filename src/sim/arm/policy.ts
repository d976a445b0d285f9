import { groupId, parseId, within } from '../world/ids.js'
import { type World, WorldError } from '../world/world.js'
import { ok, record, records, textOf, type ArmAnswer, type ArmRequest } from './wire.js'

/** What a policy looks at: something that is to be put. */
interface Content {
  readonly type: string
  readonly location?: string
  readonly tags: Record<string, unknown>
  readonly properties: Record<string, unknown>
}

type Policy = World['spec']['policies'][number]

/** Refuses a PUT that a policy at its scope or above denies. */
export function assertAllowedByPolicy(world: World, { method, path, body }: ArmRequest): void {
  if (method !== 'PUT') return
  const isGroup = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+$/i.test(path)
  const type = isGroup ? groupType : parseId(path)?.type
  if (type === undefined) return
  // A policy's own scope does not judge the group itself, which lies beside what is in it.
  const [denied] = denialsOf(world, isGroup ? `/subscriptions/${world.spec.subscription}` : path, contentOf(type, body))
  if (denied === undefined) return
  const message = `Resource '${path.split('/').at(-1) ?? ''}' was disallowed by policy. Policy identifiers: '[{"policyAssignment":{"name":"${denied.name}","id":"${assignmentOf(world, denied)}"}}]'.`
  throw new WorldError(403, 'RequestDisallowedByPolicy', message)
}

const groupType = 'Microsoft.Resources/subscriptions/resourceGroups'

/** `checkPolicyRestrictions`, of a subscription or of a group: which policies would deny this content. */
export function checkPolicyRestrictions({ world, params, body }: ArmRequest): ArmAnswer {
  const content = record(record(body['resourceDetails'])['resourceContent'])
  const type = textOf(content['type'])
  if (type === undefined) throw new WorldError(400, 'InvalidCheckRestrictionsRequest', "The request content must name the 'type' of the resource.")
  const group = params['group']
  const scope = group === undefined ? `/subscriptions/${world.spec.subscription}` : groupId(world.spec.subscription, group)
  const policyEvaluations = denialsOf(world, scope, contentOf(type, content)).map((policy) => ({
    policyInfo: { policyAssignmentId: assignmentOf(world, policy), policyDefinitionId: `${assignmentOf(world, policy)}-definition` },
    evaluationResult: 'NonCompliant',
    effectDetails: { policyEffect: 'Deny' },
    evaluationDetails: { evaluatedExpressions: expressionsOf(policy) },
  }))
  return ok({ fieldRestrictions: [], contentEvaluationResult: { policyEvaluations } })
}

function contentOf(type: string, body: Readonly<Record<string, unknown>>): Content {
  const location = textOf(body['location'])?.toLowerCase().replaceAll(' ', '')
  return { type, tags: record(body['tags']), properties: record(body['properties']), ...(location === undefined ? {} : { location }) }
}

function denialsOf(world: World, scope: string, content: Content): Policy[] {
  return world.spec.policies.filter((policy) => {
    if (!within(scope, policy.scope ?? `/subscriptions/${world.spec.subscription}`)) return false
    if (policy.type !== undefined && policy.type.toLowerCase() !== content.type.toLowerCase()) return false
    const { locations, sizes, tag } = policy
    if (locations === undefined && sizes === undefined && tag === undefined) return true
    const elsewhere = locations !== undefined && content.location !== undefined && content.location !== 'global' && !locations.includes(content.location)
    const oversized = sizes !== undefined && sizesIn(content.properties).some((size) => !sizes.includes(size))
    const untagged = tag !== undefined && content.tags[tag] === undefined && content.location !== undefined
    return elsewhere || oversized || untagged
  })
}

function sizesIn(properties: Record<string, unknown>): string[] {
  const pools = records(properties['agentPoolProfiles'])
  return [record(properties['hardwareProfile']), ...pools].flatMap((one) => textOf(one['vmSize']) ?? [])
}

function expressionsOf({ type, locations, sizes, tag }: Policy): unknown[] {
  const failed = (path: string, operator: string, targetValue: unknown): unknown => ({ result: 'True', expressionKind: 'Field', expression: path, path, operator, targetValue })
  return [
    ...(type === undefined ? [] : [failed('type', 'Equals', type)]),
    ...(locations === undefined ? [] : [failed('location', 'NotIn', locations)]),
    ...(sizes === undefined ? [] : [failed('properties.vmSize', 'NotIn', sizes)]),
    ...(tag === undefined ? [] : [failed(`tags['${tag}']`, 'Exists', 'false')]),
  ]
}

function assignmentOf(world: World, { name, scope = `/subscriptions/${world.spec.subscription}` }: Policy): string {
  return `${scope}/providers/Microsoft.Authorization/policyAssignments/${name}`
}
