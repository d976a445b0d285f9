import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { isIrreversible, LifeboatError, type Change, type OwnProgram } from '../../src/contract/index.js'
import { backwards } from '../../src/engine/undo.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import type { Revision } from '../../src/platform/helm/door.js'
import { helmRelease } from '../../src/steps/helm-release.js'
import { helmAtWork, recoverRelease, servedIn } from '../../src/steps/parts/release-recovery.js'
import { RecordedChildren } from '../helpers/doors.js'
import { kubeServer } from '../helpers/kube-server.js'
import { webDeployment, webWithHomes, writeChart } from '../helpers/kube.js'
import { converged, hubValues, release, releaseStep, type KubeServer } from '../helpers/release.js'
import type { Driven } from '../helpers/steps.js'
import { tempFolder } from '../helpers/temp-folder.js'

const valuesFor = (host: string) => ({ hub: { host }, nfs: hubValues.nfs })

const minutes = 60_000
const recovery = { timeoutMs: 30 * minutes, signal: new AbortController().signal }

/** The step of a new life of the run, for a hub of that name. */
const step = (server: KubeServer, host = 'data100.example.edu', children = new RecordedChildren(), given: Parameters<typeof releaseStep>[2] = {}): Driven =>
  releaseStep(server, { values: valuesFor(host) }, { children, ...given })

/** The same, of the run whose helm has been killed, or of another one some time later. */
const stepOf = (server: KubeServer, programs: readonly OwnProgram[], laterMs = 0, host?: string): Driven =>
  step(server, host, undefined, { programs, laterMs })

/** Starts what the step would apply and kills helm as soon as its release has that status; what the run knows of it then. */
function killedIn(server: KubeServer, status: string, work: (driven: Driven) => Promise<unknown>): Promise<readonly OwnProgram[]> {
  return killedOnce((kill) => server.atStatus(release.name, status, kill), server, work)
}

async function killedOnce(
  when: (kill: () => void) => Promise<unknown>,
  server: KubeServer,
  work: (driven: Driven) => Promise<unknown>,
): Promise<readonly OwnProgram[]> {
  const children = new RecordedChildren()
  const driven = step(server, 'other.example.edu', children)
  const killed = when(() => process.kill(-children.startedOnes.at(-1)!.pid, 'SIGKILL'))
  const doomed = work(driven).then(() => 'done', (error: unknown) => (error instanceof LifeboatError ? error.code : String(error)))
  await killed
  expect(await doomed).toBe('exec.killed')
  return children.programs
}

/** What accepts that the helm which is at work there is gone. */
function goneOf(seen: object): string {
  return (seen as Extract<ReturnType<typeof helmAtWork>, object>).patience?.error.alternative?.id ?? ''
}

const web = webDeployment({ image: '{{ .Values.image }}' })
const preInstallJob = `
apiVersion: batch/v1
kind: Job
metadata:
  name: check
  annotations: { "helm.sh/hook": pre-install, "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded" }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: check, image: check }]
`

/** A first installation that was told to stop while it waited for its pods: helm calls it failed. */
async function failedFirst(server: KubeServer, given: Record<string, unknown>): Promise<void> {
  const children = new RecordedChildren()
  const driven = releaseStep(server, given, { children })
  server.setMountable(false)
  const written = server.requested('PATCH', '/deployments/web')
  const told = server.atStatus(release.name, 'failed', () => undefined)
  const doomed = driven.make().catch(() => undefined)
  await written
  process.kill(-children.startedOnes.at(-1)!.pid, 'SIGTERM')
  await Promise.all([told, doomed])
  server.setMountable(true)
}

const applyOf = (driven: Driven) => driven.make()

describe('helm/release', () => {
  it('is put back though its chart does not have the service whose address is waited for', async () => {
    await using server = await kubeServer()
    const driven = releaseStep(server, { values: valuesFor('data100.example.edu'), addressFrom: { service: 'nothing' } })
    const made = await driven.make()
    expect((await driven.see()).state).toBe('conflict')
    expect((await backwards(driven.module, made).observe(driven.inputs, driven.ctx)).state).toBe('drifted')
  })

  it('installs once, waits for the address, upgrades for other values, and then has nothing to do', async () => {
    await using server = await kubeServer()
    const first = step(server)
    expect(await first.module.preflight(await first.plan(), first.inputs, first.ctx)).toEqual([])
    expect(await first.make()).toMatchObject([{ resource: 'release data100-prod/data100-prod', action: 'create' }])
    expect(await converged(first)).toEqual({ namespace: 'data100-prod', revision: 1, address: '203.0.113.1' })

    const other = step(server, 'other.example.edu')
    expect(await other.make()).toMatchObject([{ action: 'update', before: { revision: 1, status: 'deployed', served: 1 } }])
    expect(await converged(other)).toMatchObject({ revision: 2 })
    expect(await step(server).see()).toMatchObject({ state: 'drifted' })
  })

  it('puts an upgrade back by a rollback, and an installation by uninstalling', async () => {
    await using server = await kubeServer()
    const first = step(server)
    const [made] = await first.make()
    const upgraded = step(server, 'other.example.edu')
    const [update] = await upgraded.make()
    await upgraded.apply(upgraded.module.invert([update!]) as Change[])
    const { helm } = server.doors()
    expect((await helm.history(release)).map(({ status }) => status)).toEqual(['superseded', 'superseded', 'deployed'])
    await first.apply(first.module.invert([made!]) as Change[])
    expect(await first.see()).toEqual({ state: 'absent' })
  })

  it('has no way back where no revision ever served', () => {
    const [inverse] = helmRelease.invert([{ resource: 'release a/a', action: 'update', before: { revision: 1, status: 'failed' }, after: {} }])
    expect(isIrreversible(inverse!)).toBe(true)
  })

  it('goes on after helm was killed in an installation, as the creation that was shown', async () => {
    await using server = await kubeServer()
    server.setMountable(false)
    const programs = await killedIn(server, 'pending-install', applyOf)
    server.setMountable(true)
    const next = stepOf(server, programs)
    expect(await next.make()).toMatchObject([{ action: 'create', before: { status: 'pending-install' } }])
    expect(await converged(next)).toMatchObject({ revision: 1 })
  })

  it('goes on after helm was killed in an upgrade', async () => {
    await using server = await kubeServer()
    await step(server).make()
    server.setMountable(false)
    const programs = await killedIn(server, 'pending-upgrade', applyOf)
    server.setMountable(true)
    const next = stepOf(server, programs, 0, 'third.example.edu')
    expect(await next.make()).toMatchObject([{ action: 'update', before: { status: 'pending-upgrade', served: 1 } }])
    expect((await server.doors().helm.history(release)).map(({ status }) => status)).toEqual(['superseded', 'pending-upgrade', 'superseded', 'deployed'])
    expect(await converged(next)).toMatchObject({ revision: 4 })
  })

  it('is called as it was, after upgrades that were broken off and cleared, only where its objects are, too', { timeout: 120_000 }, async () => {
    await using server = await kubeServer()
    const [was, other] = ['data100.example.edu', 'other.example.edu']
    const configured = (): string => JSON.stringify([...server.kube.objects('ConfigMap'), ...server.kube.objects('Deployment')])
    const patched = (kill: () => void): Promise<void> => server.requested('PATCH', '/deployments/hub').then(kill)
    await step(server, was).make()
    const made = await step(server, other).plan()
    const programs: OwnProgram[] = []
    for (const _ of [1, 2]) {
      server.setMountable(false)
      // The second is killed in its upgrade, too, and not in what clears up after the first.
      await recoverRelease(release, { ...recovery, next: 'upgrade' }, stepOf(server, programs, 0, other).ctx)
      programs.push(...(await killedOnce(patched, server, (driven) => driven.apply(made))))
      server.setMountable(true)
      expect(configured()).toContain(other)
    }
    const next = stepOf(server, programs, 0, other)
    await recoverRelease(release, { ...recovery, next: 'upgrade' }, next.ctx)
    expect((await backwards(next.module, made).observe(next.inputs, next.ctx)).state).toBe('converged')
    expect(configured()).toContain(was)
    expect(configured()).not.toContain(other)
  })

  it('that never served is none to go back to, whatever helm calls it since', () => {
    const at = (revision: number, status: string, description: string): Revision => ({ revision, status, description, chart: 'hub-1' })
    const history = [at(1, 'superseded', 'sha256:1'), at(2, 'superseded', 'Preparing upgrade'), at(3, 'failed', 'Rollback "x" failed: no')]
    expect(servedIn(history)).toBe(1)
    expect(servedIn([...history, at(4, 'superseded', 'Upgrade "x" failed: no')])).toBe(1)
    expect(servedIn([...history, at(4, 'superseded', 'Rollback to 1'), at(5, 'deployed', 'Rollback to 4')])).toBe(1)
    // What helm has forgotten, nobody can go back to.
    expect(servedIn([at(4, 'superseded', 'Rollback to 1'), at(5, 'deployed', 'Rollback to 4')])).toBe(4)
    expect(servedIn([at(4, 'superseded', 'hotfix: login failed: #12'), at(5, 'deployed', 'Rollback to 5')])).toBe(5)
    expect(servedIn(history.slice(1))).toBeUndefined()
  })

  it('goes forward also where what was broken off cannot be rolled back', async () => {
    const refused = new LifeboatError('helm.failed', 'no ConfigMap with the name "x" found')
    const pending = [{ revision: 1, status: 'deployed', description: 'x' }, { revision: 2, status: 'pending-upgrade', description: 'Preparing upgrade' }]
    const tried = (after: string, error: LifeboatError) => {
      const histories = [pending, [...pending, { revision: 3, status: after, description: 'Rollback to 1' }]]
      const helm = { history: async () => histories.shift(), rollback: () => Promise.reject(error) }
      const ctx = { clock: clockOf({}), doors: { helm }, overPrograms: () => [], accepted: new Set(['helm-gone-2']) } as unknown as Driven['ctx']
      return recoverRelease(release, { ...recovery, next: 'upgrade' }, ctx).then(() => 'on', (thrown: unknown) => thrown)
    }
    expect(await tried('failed', refused)).toBe('on')
    expect(await tried('pending-rollback', refused)).toBe(refused)
    const away = new LifeboatError('kube.unreachable', 'no answer', { retry: {} })
    expect(await tried('failed', away)).toBe(away)
  })

  it.each([
    ['pending-rollback', { action: 'update', after: { rollback: 1 } }],
    ['uninstalling', { action: 'delete' }],
  ] as const)('goes on after helm was killed while it was %s', async (status, change) => {
    await using server = await kubeServer()
    await step(server).make()
    await step(server, 'other.example.edu').make()
    server.setMountable(false)
    const programs = await killedIn(server, status, (driven) => driven.apply([{ resource: 'release data100-prod/data100-prod', ...change }]))
    server.setMountable(true)
    expect(await step(server).see()).toMatchObject({ state: 'in-flight' })
    const next = stepOf(server, programs)
    await next.make()
    expect((await server.doors().helm.history(release)).at(-1)).toMatchObject({ status: 'deployed' })
    expect(await converged(next)).toMatchObject({ address: '203.0.113.1' })
  })

  it('waits for a helm that this run has not started, says until when, and clears its record only then (K27)', async () => {
    await using server = await kubeServer()
    await step(server).make()
    server.setMountable(false)
    const programs = await killedIn(server, 'pending-upgrade', applyOf)
    const seen = await step(server).see()
    expect(seen).toMatchObject({
      state: 'in-flight',
      what: expect.stringMatching(/^helm is at work on data100-prod\/data100-prod since \d\d:\d\d UTC \(pending-upgrade\), and was not started by this run; it is given until \d\d:\d\d UTC$/) as string,
      // Shown as what it will be if that comes to nothing.
      seen: { status: 'pending-upgrade', served: 1 },
      // Whoever sits there may know more, and is asked.
      patience: { ms: 5 * minutes, error: { code: 'helm.at-work', alternative: { id: expect.stringMatching(/^helm-gone-2-\d{8}T\d{6}Z$/) as string, offer: expect.stringContaining('The price') as string } } },
    })
    // Thirty minutes that a release is given, and what the clocks of two machines may differ by.
    const states = await Promise.all([39, 41].map(async (later) => (await stepOf(server, [], later * minutes).see()).state))
    expect(states).toEqual(['in-flight', 'drifted'])
    // By a clock that is far behind it would be waited for much longer; and another program of this run's is not this one.
    expect(await stepOf(server, [], -600 * minutes).see()).toMatchObject({ state: 'in-flight', patience: { ms: 5 * minutes } })
    const [own] = programs
    const others = [{ ...own!, command: 'kubectl delete secret' }, { ...own!, startedAt: new Date(own!.startedAt.getTime() - 3 * minutes) }]
    expect(await stepOf(server, others).see()).toMatchObject({ state: 'in-flight' })
    expect(await stepOf(server, [...others, own!]).see()).toMatchObject({ state: 'drifted' })
    const knowing = step(server)
    knowing.accepted.add(goneOf(seen))
    server.setMountable(true)
    await knowing.make()
    expect(await converged(knowing)).toMatchObject({ address: '203.0.113.1' })
    // That one is taken for ended, and no other: nobody has said a word of the next.
    server.setMountable(false)
    await killedIn(server, 'pending-upgrade', applyOf)
    const next = await knowing.see()
    expect([next.state, goneOf(next)]).toEqual(['in-flight', expect.stringMatching(/^helm-gone-5-/)])
  })

  it('takes for ended only the very helm that somebody has called so, also where another is at the same revision (K27)', () => {
    const at = (seconds: number, revision = 2) =>
      ({ revision, status: 'pending-upgrade', chart: '', description: '', begunAt: new Date(seconds * 1000) })
    const clock = { ...clockOf({}), realNow: () => new Date(0) }
    const seen = (one: ReturnType<typeof at>, accepted: readonly string[] = []) =>
      helmAtWork(one, release, minutes, { clock, overPrograms: () => [], accepted: new Set(accepted) })
    const id = goneOf(seen(at(1))!)
    expect(id).toBe('helm-gone-2-19700101T000001Z')
    expect([seen(at(1), [id]), seen(at(2), [id])?.state, seen(at(1, 3), [id])?.state]).toEqual([undefined, 'in-flight', 'in-flight'])
  })

  it('writes nothing where somebody’s helm has begun since it was looked at', async () => {
    await using server = await kubeServer()
    await step(server).make()
    const late = step(server, 'third.example.edu')
    const changes = await late.plan()
    server.setMountable(false)
    await killedIn(server, 'pending-upgrade', applyOf)
    await expect(late.apply(changes)).rejects.toMatchObject({ code: 'helm.pending', retry: {} })
    expect((await server.doors().helm.history(release)).at(-1)).toMatchObject({ revision: 2, status: 'pending-upgrade' })
  })

  it('upgrades what failed in its first installation, as the creation that was shown, and says that pre-install hooks do not run again', async () => {
    await using server = await kubeServer()
    const chart = writeChart(tempFolder(), 'web', { 'web.yaml': web, 'check.yaml': preInstallJob }, 'image: web')
    const given = { chart, values: {}, addressFrom: undefined }
    await failedFirst(server, given)
    const next = releaseStep(server, { ...given, values: { image: 'web:2' } })
    const changes = await next.plan()
    expect(changes).toMatchObject([{ action: 'create', before: { status: 'failed' } }])
    expect(await next.module.preflight(changes, next.inputs, next.ctx)).toMatchObject([
      { level: 'warn', what: expect.stringContaining('pre-install hooks (Job/check) do not run again') as string, mend: expect.stringContaining('helm uninstall data100-prod') as string },
    ])
    let ran = false
    void server.requested('PATCH', '/jobs/check').then(() => (ran = true))
    await next.apply(changes)
    expect(await converged(next)).toMatchObject({ revision: 2 })
    expect(ran).toBe(false)
  })

  it('that failed at its first installation is taken away on the way back, with its objects, and one that was found so is left', { timeout: 120_000 }, async () => {
    await using server = await kubeServer()
    const given = { chart: writeChart(tempFolder(), 'web', { 'web.yaml': web }, 'image: web'), values: {}, addressFrom: undefined }
    const driven = releaseStep(server, given)
    const made = await driven.plan()
    const look = (changes: readonly Change[]) => backwards(driven.module, changes).observe(driven.inputs, driven.ctx)
    expect((await look(made)).state).toBe('converged')
    await failedFirst(server, given)
    expect(await look(made)).toMatchObject({ state: 'drifted', seen: [{ action: 'create' }] })
    await driven.apply(driven.module.invert(made) as Change[])
    expect([(await look(made)).state, (await driven.see()).state, server.kube.objects('Deployment')]).toEqual(['converged', 'absent', []])
    // What the run has found so, it leaves so.
    await failedFirst(server, given)
    expect((await look(await driven.plan())).state).toBe('converged')
  })

  it('that somebody else has upgraded since is neither as it was nor as the run left it', { timeout: 120_000 }, async () => {
    await using server = await kubeServer()
    await step(server).make()
    const second = step(server, 'other.example.edu')
    const made = await second.make()
    await step(server, 'theirs.example.edu').make()
    const back = backwards(second.module, made)
    expect(await back.observe(second.inputs, second.ctx)).toMatchObject({ state: 'conflict' })
    await second.apply(second.module.invert(made) as Change[])
    expect((await back.observe(second.inputs, second.ctx)).state).toBe('converged')
  })

  it.each(['pending-upgrade', 'pending-rollback', 'uninstalling'] as const)('that serves nobody since this run was broken off (%s) goes back from there', { timeout: 120_000 }, async (status) => {
    await using server = await kubeServer()
    const installed = await step(server).make()
    const upgraded = status === 'pending-upgrade' ? await step(server, 'other.example.edu').plan() : await step(server, 'other.example.edu').make()
    const made = status === 'uninstalling' ? installed : upgraded
    const way: Change[] = status === 'pending-upgrade' ? [...made] : (helmRelease.invert(made) as Change[])
    server.setMountable(false)
    const programs = await killedIn(server, status, (driven) => driven.apply(way))
    server.setMountable(true)
    const next = stepOf(server, programs, 0, 'other.example.edu')
    const back = backwards(next.module, made)
    expect(await back.observe(next.inputs, next.ctx)).toMatchObject({ state: 'drifted', seen: [{ action: made[0]?.action }] })
    await next.apply(next.module.invert(made) as Change[])
    expect((await back.observe(next.inputs, next.ctx)).state).toBe('converged')
  })

  it('waits in the place of a helm that ends at once, while a deployment is past its deadline, and is brought in by the next try', { timeout: 120_000 }, async () => {
    await using server = await kubeServer()
    server.state.mountable = false
    const chart = writeChart(tempFolder(), 'web', webWithHomes('  progressDeadlineSeconds: 60'), 'server: 10.240.0.7\n')
    const sleep = async (): Promise<void> => {
      server.state.mountable = true
      await setTimeout(200)
    }
    const driven = releaseStep(server, { chart, values: {}, addressFrom: undefined }, { sleep })
    await expect(driven.make()).rejects.toMatchObject({ code: 'helm.deadline', message: expect.stringContaining('it gets on now') as string, retry: {} })
    expect(await driven.see()).toMatchObject({ state: 'drifted', seen: { status: 'failed' } })
    await driven.make()
    expect((await driven.see()).state).toBe('converged')
  })

  it('is unknown, never absent, while the API server does not answer', async () => {
    await using server = await kubeServer()
    server.down()
    await expect(step(server).see()).rejects.toMatchObject({ code: 'kube.unreachable' })
  })
})
