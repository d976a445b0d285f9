import { count } from '../render/text.js'
import type { Runbook } from '../runbook/index.js'
import { exit } from './exit.js'
import { guarded } from './guard.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'
import { Screen } from './screen.js'
import { readRunbook } from './site.js'

/** `lifeboat validate RUNBOOK…`: every finding of every file, with line and column; no network. */
export async function validate(paths: readonly string[], options: CommonOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const screen = new Screen(options, invocation)
    const results = await Promise.all(paths.map(async (path) => ({ path, ...(await readRunbook(path)) })))
    const diagnostics = results.flatMap((result) => result.diagnostics)
    if (options.json === true) invocation.output.data(`${JSON.stringify({ diagnostics })}\n`)
    else screen.diagnose(diagnostics)
    for (const { path, runbook } of results) {
      if (runbook !== undefined) screen.notice(`${path}: ${runbook.name}, ${sayNodes(runbook.nodes)}, is in order`)
    }
    return results.every((result) => result.runbook !== undefined) ? exit.done : exit.usage
  })
}

/** Gates and what is done by hand are no steps in the view of a run either. */
function sayNodes(nodes: Runbook['nodes']): string {
  const many = (kind: Runbook['nodes'][number]['kind']): number => nodes.filter((node) => node.kind === kind).length
  const parts = [count(many('step'), 'step'), count(many('gate'), 'gate'), count(many('manual'), 'manual step')]
  return parts.filter((part, index) => index === 0 || !part.startsWith('0 ')).join(', ')
}
