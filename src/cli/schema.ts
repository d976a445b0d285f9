import { runbookJsonSchema } from '../runbook/index.js'
import { registry } from '../steps/registry.js'
import { exit } from './exit.js'
import { guarded } from './guard.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'
import { Screen } from './screen.js'
import { readRunbook } from './site.js'

/** What keeps a runbook from telling which modules it names; all other mistakes are the editor's to show. */
const unreadable = /^runbook\.(unreadable|not-utf8|not-yaml|too-large|two-documents|broken-module)$/

/** `lifeboat schema [RUNBOOK]`: the JSON Schema of runbooks, with the site's own modules that RUNBOOK names. */
export async function schema(args: readonly string[], options: CommonOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const [path] = args
    const read = path === undefined ? { registry, diagnostics: [] } : await readRunbook(path)
    const wrong = read.diagnostics.filter(({ code }) => unreadable.test(code))
    new Screen(options, invocation).diagnose(wrong)
    if (wrong.length > 0) return exit.usage
    invocation.output.data(`${JSON.stringify(runbookJsonSchema(read.registry), null, 2)}\n`)
    return exit.done
  })
}
