import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './cli.js'

/** One deliberate mistake in what was built: a text of one of its files, and what takes its place. */
export interface Mutation {
  /** What it does wrong, as whoever suffers from it would say. */
  readonly does: string
  /** What the oracle says of it: that it notices anything at all, such as a program that breaks, would show nothing. */
  readonly sees: RegExp
  readonly file: string
  readonly find: string
  readonly put: string
  /** Where it shows, if that is not the usual runbook. */
  readonly at?: 'hubs-many' | 'two-pools' | 'silent-server'
}

export const mutations: readonly Mutation[] = [
  {
    does: 'writes first and journals the intent afterwards',
    sees: /^written without an intent in the journal/,
    file: 'engine/lifecycle.js',
    find: "    await recorder.record('step.intent', { step, changes });\n    const checkpoint = (what) => recorder.record('step.checkpoint', { step, what });\n    await module.apply(changes, inputs, { ...ctx, checkpoint });\n",
    put: "    const checkpoint = (what) => recorder.record('step.checkpoint', { step, what });\n    await module.apply(changes, inputs, { ...ctx, checkpoint });\n    await recorder.record('step.intent', { step, changes });\n",
  },
  {
    does: 'journals no intent of one kind of step',
    sees: /^written without an intent in the journal: arm POST .*attachDetachDataDisks/,
    file: 'engine/lifecycle.js',
    find: "    await recorder.record('step.intent', { step, changes });\n",
    put: "    if (module.uses !== 'azure/attach-disks')\n        await recorder.record('step.intent', { step, changes });\n",
  },
  {
    does: 'journals no intent of what it does on a server by ssh',
    sees: /^written without an intent in the journal: ssh /,
    file: 'engine/lifecycle.js',
    find: "    await recorder.record('step.intent', { step, changes });\n",
    put: "    if (module.uses !== 'zfs/import-pool')\n        await recorder.record('step.intent', { step, changes });\n",
    at: 'two-pools',
  },
  {
    does: 'journals an intent for the first try of a step only',
    sees: /^written without an intent in the journal/,
    file: 'engine/lifecycle.js',
    find: "    await recorder.record('step.intent', { step, changes });\n",
    put: "    const told = (globalThis.told ??= new WeakMap());\n    const steps = told.get(recorder) ?? new Set();\n    if (!steps.has(step))\n        await recorder.record('step.intent', { step, changes });\n    told.set(recorder, steps.add(step));\n",
  },
  {
    does: 'does not wait for the steps that a step needs',
    sees: /^it does not come to its end: .*step\.needs-skipped/,
    file: 'engine/walk.js',
    find: 'const needs = await Promise.all(node.needs.map(of));',
    put: "const needs = node.needs.map(() => 'done');",
  },
  {
    does: 'reads what cannot be read as absent',
    sees: /^the world saw: disk |^pool pool0 is imported on .* and |^written (to while|twice)/,
    file: 'platform/azure/session.js',
    find: '            if (isNotFound(error))\n                return undefined;\n            throw this.told(error, doing);',
    put: '            return undefined;',
  },
  {
    does: 'takes a lost answer for a failure, and sends the write again',
    sees: /^written twice without a look in between|^written to while .* was at work on it/,
    file: 'platform/azure/session.js',
    find: "            throw coded.code === 'azure.locked' ? await withLock(this, coded) : coded;",
    put: "            if (coded.code === 'azure.unreachable')\n                return await call().catch(() => { throw coded; });\n            throw coded;",
  },
  {
    does: 'takes the silence of a server for its having let go',
    sees: /^pool pool0 is imported on .* and |^disk .* and both run/,
    file: 'steps/nfs-fence.js',
    find: "return { state: 'drifted', seen: { serving: false, imported: false, silent: true } };",
    put: "return { state: 'converged', outputs: { how: 'exported', machine, since: null } };",
  },
  {
    does: 'does not ask again, before it takes the disks, whether a server that was stopped is still so',
    sees: /^pool first is imported on .* and |^disk .* and both run/,
    file: 'steps/azure-detach-disks.js',
    find: '        assertFenced(found, [wanted.fenced ?? []].flat());\n',
    put: '',
    at: 'silent-server',
  },
  {
    does: 'sets the TTL of a record that somebody else has changed meanwhile',
    sees: /^somebody else had changed it, and it was written over unseen: PATCH /,
    file: 'platform/azure/zones.js',
    find: 'recordSets.update(zone.group, zone.name, name, type, { ttl }, { ifMatch: etag })',
    put: 'recordSets.update(zone.group, zone.name, name, type, { ttl })',
  },
  {
    does: 'points a record elsewhere that somebody else has changed meanwhile',
    sees: /^somebody else had changed it, and it was written over unseen: PUT /,
    file: 'platform/azure/zones.js',
    find: "const guard = etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag };",
    put: 'const guard = {};',
  },
  {
    does: 'begins although another run is at work',
    sees: /^two runs change the same target at once|^written to while /,
    file: 'journal/target.js',
    find: '    async #standingOf(mark) {\n',
    put: "    async #standingOf(mark) {\n        return 'free';\n",
    at: 'two-pools',
  },
  {
    does: 'points names to a hub that it has not asked',
    sees: /was pointed to .*, (which had answered nobody before|where no hub of that name is)/,
    file: 'steps/http-check.js',
    find: '        const answer = await doors.http.get(',
    put: "        return { state: 'converged', outputs: { address, status: 200, certificate: '', remark: '' } };\n        const answer = await doors.http.get(",
  },
  {
    does: 'holds a step for done that has only been begun',
    // Or nothing is known of what it should have made, and no resume changes that.
    sees: /leads to .*, where it does not answer|^written to while |^it does not come to its end: .*\[runbook\.unresolved\]$/,
    file: 'engine/look.js',
    find: "        if (seen.state === 'converged')\n            return seen.outputs;\n        if (seen.state === 'conflict')\n            throw conflictError(seen);\n        if (seen.state === 'unknown' && isHopeless(seen.cause))",
    put: "        if (seen.state !== 'conflict')\n            return seen.outputs ?? {};\n        if (seen.state === 'conflict')\n            throw conflictError(seen);\n        if (seen.state === 'unknown' && isHopeless(seen.cause))",
  },
  {
    does: 'begins steps beside each other that must be kept apart',
    sees: /^written to while .* was at work on it/,
    file: 'engine/claims.js',
    find: '    async take(step, claims, signal, onWait) {\n',
    put: '    async take(step, claims, signal, onWait) {\n        return () => {};\n',
    at: 'hubs-many',
  },
  {
    does: 'does not take back, when it goes on, what an operation of its earlier life still has in hand',
    sees: /^written to while .* was at work on it/,
    file: 'engine/walk.js',
    find: '            this.#reclaimed.set(node.id, this.#claims.reserve(node.id, claims, needsOf(this.#ports.runbook, node.id)));\n',
    put: '',
    at: 'two-pools',
  },
  {
    does: 'imports a pool without the proof of where its disks are',
    sees: /nobody had asked Azure right before where /,
    file: 'steps/zfs-import-pool.js',
    find: 'async function proofsMissing({ machine, disks, pool }, { azure }) {\n',
    put: 'async function proofsMissing({ machine, disks, pool }, { azure }) {\n    return [];\n',
    at: 'two-pools',
  },
]

/** A copy of what was built, with that mistake in it; beside it, so that it finds its packages as the original does. */
export function mutant({ file, find, put }: Mutation, name: string): { readonly program: string } & Disposable {
  const folder = join(root, `dist-${name}`)
  rmSync(folder, { recursive: true, force: true })
  cpSync(join(root, 'dist'), folder, { recursive: true })
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  if (text.split(find).length !== 2) throw new Error(`${file} no longer has the text to be changed, or more than once: ${find}`)
  writeFileSync(path, text.replace(find, () => put))
  return { program: join(folder, 'main.js'), [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}
