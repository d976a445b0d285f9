import { LifeboatError } from '../../contract/index.js'
import { ask } from './ask.js'
import type { AddressDoor, GovernanceDoor } from './readiness-door.js'
import type { AzureSession } from './session.js'

interface WireEvaluation {
  readonly evaluationResult?: string
  readonly policyInfo?: { readonly policyAssignmentId?: string; readonly policyDefinitionId?: string }
  readonly evaluationDetails?: { readonly evaluatedExpressions?: readonly { readonly path?: string; readonly expression?: string }[] }
}

interface WireRestrictions {
  readonly contentEvaluationResult?: { readonly policyEvaluations?: readonly WireEvaluation[] }
}

/** Resource providers, and policies that deny. What is asked about bears the tags that it will be made with. */
export function openGovernance(session: AzureSession, tags: Readonly<Record<string, string>>): GovernanceDoor {
  const subscription = `/subscriptions/${session.subscription}`

  function evaluate(scope: string, content: object, what: string): Promise<WireRestrictions | undefined> {
    return ask<WireRestrictions>(session, {
      doing: `asking which policies would deny ${what}`,
      path: `${scope}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions`,
      apiVersion: '2022-03-01',
      body: { resourceDetails: { resourceContent: content } },
    })
  }

  return {
    async registration(namespace) {
      const path = `${subscription}/providers/${namespace}`
      const found = await ask<{ readonly registrationState?: string }>(session, {
        doing: `reading whether ${namespace} is registered`,
        path,
        apiVersion: '2021-04-01',
      })
      return found?.registrationState
    },
    async denials(group, content) {
      const tagged = { ...content, tags }
      const what = `${content.type} ${content.name ?? ''}`.trim()
      const found = await askedAt(async () => {
        const inGroup = group === undefined ? undefined : await evaluate(`${subscription}/resourceGroups/${group}`, tagged, what)
        return inGroup ?? evaluate(subscription, tagged, what)
      })
      if (found === 'refused') return undefined
      const denying = (found?.contentEvaluationResult?.policyEvaluations ?? []).filter(({ evaluationResult }) => evaluationResult === 'NonCompliant')
      return denying.map(({ policyInfo, evaluationDetails }) => ({
        policy: policyInfo?.policyAssignmentId ?? policyInfo?.policyDefinitionId ?? 'a policy that Azure does not name',
        why: (evaluationDetails?.evaluatedExpressions ?? []).flatMap(({ path, expression }) => path ?? expression ?? []),
      }))
    },
  }
}

/** Whether a policy denies is worth knowing, and not worth a failover where the question is refused. */
async function askedAt<T>(question: () => Promise<T>): Promise<T | 'refused'> {
  try {
    return await question()
  } catch (error) {
    if (error instanceof LifeboatError && (error.code === 'azure.denied' || error.code === 'azure.refused')) return 'refused'
    throw error
  }
}

export function openAddresses(session: AzureSession): AddressDoor {
  return {
    async availability(networkId, address) {
      session.parse(networkId)
      const found = await ask<{ readonly available?: boolean; readonly availableIPAddresses?: readonly string[] }>(session, {
        doing: `asking whether ${address} is free`,
        path: `${networkId}/CheckIPAddressAvailability`,
        apiVersion: '2024-05-01',
        query: { ipAddress: address },
      })
      return { free: found?.available !== false, others: found?.availableIPAddresses ?? [] }
    },
  }
}
