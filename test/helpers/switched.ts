import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { smallRunbook } from './small.js'

/** Stands for a system of the site's own: it is done with NAME once the test says so, and until then at it. */
const script = `#!/bin/sh
# usage: work.sh look|do|undo NAME
case $1 in
  look) test -e "$2.done" || exit 10; printf '{"name":"%s"}\\n' "$2" ;;
  do)
    touch "$2.begun"
    until test -e "$2.go" || test -e "$2.fail" || test -e end; do sleep 0.05; done
    if test -e "$2.fail"; then rm "$2.fail"; echo "no room left"; exit 1; fi
    touch "$2.done" ;;
  undo)
    touch "$2.undoing"
    until test -e "$2.back" || test -e end; do sleep 0.05; done
    rm "$2.done" ;;
esac
`

export interface Switched {
  readonly runbook: string
  /** Lets a step that waits come to its end. */
  finish(step: string): void
  /** Lets it fail, once. */
  fail(step: string): void
  /** Lets it be undone. */
  back(step: string): void
  /** Resolves once its command runs: what the screen says comes a moment before. */
  begun(step: string): Promise<void>
  /** The same of being undone. */
  undoing(step: string): Promise<void>
  isDone(step: string): boolean
}

/** One step of the site's own, at work until the test says otherwise. `needs` as in a runbook. It gives its `name`. */
export function work(id: string, needs: readonly string[] = [], besides = ''): string {
  const command = (verb: string): string => `[sh, ./work.sh, ${verb}, ${id}]`
  const inputs = `run: ${command('do')}, observe: ${command('look')}, inverse: ${command('undo')}, describe: make ${id}${besides}`
  return `  - { id: ${id}, uses: exec, needs: [${needs.join(', ')}], with: { ${inputs} } }\n`
}

/**
 * A runbook named `small` of such steps, for the test that asks for it. Nothing in it depends on time. What still runs when the test is
 * over ends then: the next run would wait for a command that outlived its own.
 */
export function switched(steps: string): Switched {
  const runbook = smallRunbook(steps)
  const file = (name: string): string => join(dirname(runbook), name)
  writeFileSync(file('work.sh'), script)
  const touch = (name: string): void => writeFileSync(file(name), '')
  onTestFinished(() => touch('end'))
  return {
    runbook,
    finish: (step) => touch(`${step}.go`),
    fail: (step) => touch(`${step}.fail`),
    begun: (step) => there(file(`${step}.begun`)),
    undoing: (step) => there(file(`${step}.undoing`)),
    isDone: (step) => existsSync(file(`${step}.done`)),
    back: (step) => touch(`${step}.back`),
  }
}

async function there(path: string): Promise<void> {
  while (!existsSync(path)) await setTimeout(20)
}
