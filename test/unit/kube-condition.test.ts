import { describe, expect, it } from 'vitest'
import { fulfilment, parseAwaited } from '../../src/steps/parts/kube-condition.js'
import { kubeWait } from '../../src/steps/kube-wait.js'

const hub = (status: object, generation = 1) => ({ metadata: { generation }, status }) as never

/** Does the object fulfil it, and what is said? */
function outcome(text: string, object: Parameters<typeof fulfilment>[1]): string {
  const result = fulfilment(parseAwaited(text) ?? { kind: 'create' }, object)
  return result.holds ? `yes: ${result.value}` : `no: ${result.last}`
}

describe('what kube/wait waits for', () => {
  const available = { conditions: [{ type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'not\u001b[31m yet' }] }

  it.each([
    ['condition=Available', hub({ conditions: [{ type: 'Available', status: 'True' }] }), 'yes: True'],
    ['condition=available=false', hub(available), 'yes: False'],
    ['condition=Available', hub(available), 'no: Available is False (MinimumReplicasUnavailable: not [31m yet)'],
    ['condition=Ready', hub(available), 'no: it has no condition Ready yet'],
    ['condition=Available', hub({ observedGeneration: 1, conditions: [{ type: 'Available', status: 'True' }] }, 2), 'no: its status is older than its last change'],
    ['condition=Ready', hub({ conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1 }] }, 2), 'no: its status is older than its last change'],
    ['jsonpath={.status.phase}=Bound', hub({ phase: 'Bound' }), 'yes: Bound'],
    ['jsonpath={.status.phase}=Bound', hub({ phase: 'Pending' }), 'no: .status.phase is Pending'],
    ['jsonpath=.status.readyReplicas=2', hub({ readyReplicas: 2 }), 'yes: 2'],
    ['jsonpath={.status.loadBalancer.ingress[0].ip}', hub({ loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } }), 'yes: 203.0.113.1'],
    ['jsonpath={.status.loadBalancer.ingress[0].ip}', hub({ loadBalancer: {} }), 'no: .status.loadBalancer.ingress[0].ip is not set'],
    ["jsonpath={.status['a.b/c']}=d", hub({ 'a.b/c': 'd' }), 'yes: d'],
    ['condition=Available', undefined, 'no: it is not there'],
    ['create', hub({}), 'yes: there'],
    ['delete', hub({}), 'no: it is still there'],
    ['delete', undefined, 'yes: gone'],
  ])('%s of %j', (text, object, said) => {
    expect(outcome(text, object)).toBe(said)
  })

  it.each([
    ['jsonpath={.data.token}', { token: 'aHVudGVyMg==' }, { state: 'converged', outputs: { value: 'set' } }],
    ['jsonpath={.data.token}=aHVudGVyMg==', { token: 'aHVudGVyMg==' }, { state: 'converged', outputs: { value: 'set' } }],
    ['jsonpath={.data.token}=b', { token: 'aHVudGVyMg==' }, { what: expect.stringContaining('.data.token is another') as string }],
    ['jsonpath={.data.token}', {}, { what: expect.stringContaining('.data.token is not set') as string }],
    ['jsonpath={.data}', { token: 'aHVudGVyMg==' }, { outputs: { value: 'set' } }],
    ['create', { token: 'aHVudGVyMg==' }, { outputs: { value: 'there' } }],
  ])('tells nothing of what a secret holds: %s of %j', async (text, data, seen) => {
    for (const kind of ['secret', 'secrets', 'Secret', 'SECRETS', 'secret.v1', 'secrets.v1.', 'secrets.']) {
      const wanted = kubeWait.inputs.parse({ cluster: '/subscriptions/s/resourceGroups/g', kind, name: 'hub', for: text })
      const found = await kubeWait.observe(wanted, { doors: { kube: { get: async () => ({ data }) } } } as never)
      expect(found).toMatchObject(seen)
      expect(JSON.stringify(found).replace(text, '')).not.toContain('aHVudGVyMg')
    }
  })

  it.each(['Available', 'condition', 'condition=', 'jsonpath={.items[*].status}=x', 'jsonpath=', ''])('does not understand “%s”, and says how it is written', (text) => {
    const wanted = { cluster: '/subscriptions/s/resourceGroups/g', kind: 'deployment', name: 'hub', for: text }
    expect(JSON.stringify(kubeWait.inputs.safeParse(wanted).error?.issues)).toContain('condition=Available')
  })

  it.each(['--all', '-A', 'pods,secrets', 'a b'])('takes no kind that kubectl would take for more than one word: %s', (kind) => {
    expect(kubeWait.inputs.safeParse({ cluster: '/subscriptions/s/resourceGroups/g', kind, name: 'hub', for: 'create' }).success).toBe(false)
  })
})
