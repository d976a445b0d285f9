import { readFile, rename, writeFile } from 'node:fs/promises'

/**
 * A step of this site's own: a notice on its status page, a JSON file that a web server serves. Two steps write the same page,
 * so each looks after the notice of its name only, and claims the page while it writes. It shows what such a module needs and
 * no more; `src/steps/README.md` has the contract.
 */
export default ({ z, defineStep, claim, inverted, known, isPending, LifeboatError, seconds, minutes }) =>
  defineStep({
    uses: './minimal/announce.mjs',
    summary: 'A notice on the status page',
    inputs: z.strictObject({
      /** Path of the page. It is written, so it is no `file`: those are pinned. */
      page: z.string(),
      notice: z.string().regex(/^[\w-]+$/, 'letters, digits, _ and -'),
      text: z.string().min(1),
    }),
    outputs: z.object({ since: z.string() }),
    identity: ['page', 'notice', 'text'],
    verification: () => ({ everyMs: 1 * seconds, withinMs: 1 * minutes }),
    preflight: async () => [],
    async observe({ page, notice, text }) {
      const notices = await noticesOn(page)
      if (notices === undefined) return { state: 'conflict', why: `${page} is no status page`, mend: 'Move it away; a new one is begun then.' }
      const found = notices.find((one) => one.notice === notice)
      if (found === undefined) return { state: 'absent' }
      if (found.text === text) return { state: 'converged', outputs: { since: found.since } }
      return { state: 'drifted', seen: { text: found.text } }
    },
    plan({ notice, text }, seen) {
      if (isPending(notice)) throw new LifeboatError('announce.named-late', 'notice names what is changed, and is known only later', { blame: 'user', hint: 'Write it into the runbook.' })
      const resource = `notice ${notice} on the status page`
      if (seen.state === 'absent') return [{ resource, action: 'create', after: { text } }]
      return [{ resource, action: 'update', before: { text: seen.seen.text }, after: { text } }]
    },
    async apply(changes, { page, notice }, { clock, progress }) {
      for (const { action, after } of changes) {
        const others = ((await noticesOn(page)) ?? []).filter((one) => one.notice !== notice)
        const since = clock.now().toISOString()
        progress(`writing ${page}`)
        await replace(page, action === 'delete' ? others : [{ notice, text: after.text, since }, ...others])
      }
    },
    // It writes a file by itself: no request is sent, no program run.
    writes: () => [],
    invert: (changes) => changes.map(inverted),
    claims: ({ page }) => [claim('file', known(page))],
    estimateMs: () => 1 * seconds,
  })

/** Newest first; undefined for a file that is something else. A page that cannot be read is an error, not an empty page. */
async function noticesOn(page) {
  const text = await readFile(page, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '{"notices":[]}'
    throw error
  })
  try {
    const { notices } = JSON.parse(text)
    return Array.isArray(notices) ? notices : undefined
  } catch {
    return undefined
  }
}

/** At one stroke: who reads the page meanwhile sees the old one or the new one, never half of one. */
async function replace(page, notices) {
  const fresh = `${page}.new`
  await writeFile(fresh, `${JSON.stringify({ notices }, null, 2)}\n`)
  await rename(fresh, page)
}
