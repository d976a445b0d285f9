import { expect, test } from 'vitest'
import { virtualClock } from '../../src/sim/world/clock.js'
import { servedCluster } from '../helpers/kube.js'

const minutes = 60_000

const web = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } },
  spec: {
    ...{ replicas: 1, selector: { matchLabels: { app: 'web' } } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
  },
}

test.each([
  ['crashing', 'Running', 'CrashLoopBackOff', 12, 'Back-off restarting failed container web'],
  ['without-image', 'Pending', 'ImagePullBackOff', 0, 'Back-off pulling image "web:1"'],
] as const)('K26: pods that are %s never get ready however long one waits, and their events say why; mended, they do', async (is, phase, reason, restartCount, message) => {
  let trouble: typeof is | undefined = is
  const clock = virtualClock(Date.parse('2019-02-25T12:40:00-08:00'))
  const { call, cluster } = await servedCluster({ virtual: clock, podTrouble: ({ name }) => (name === 'web' ? trouble : undefined) })
  const status = async (): Promise<unknown> => (await call('GET', '/apis/apps/v1/namespaces/default/deployments/web')).body['status']
  clock.advance(minutes)
  await call('POST', '/apis/apps/v1/namespaces/default/deployments', web)
  clock.advance(61 * minutes)
  expect(cluster.objects('Pod')).toMatchObject([{ status: { phase, containerStatuses: [{ ready: false, restartCount, state: { waiting: { reason } } }] } }])
  // Who looks at the Deployment only does not learn it.
  expect(JSON.stringify(await status())).not.toContain(reason)
  expect(cluster.objects('Event').map((event) => event['message'])).toContainEqual(expect.stringContaining(message) as unknown)
  trouble = undefined
  clock.advance(2 * minutes)
  expect(cluster.objects('Pod')).toMatchObject([{ status: { phase: 'Running', containerStatuses: [{ ready: true }] } }])
  expect(await status()).toMatchObject({ readyReplicas: 1 })
})
