import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { smallRunbook } from './small.js'

/** Stands for a system of the site's own: it is done with NAME once the test says so, and until then at it. */
const script = `#!/bin/sh
# usage: work.sh look|do|undo NAME
case $1 in
  look) test -e "$2.done" && exit 0; exit 10 ;;
  do)
    until test -e "$2.go" || test -e "$2.fail"; do sleep 0.05; done
    if test -e "$2.fail"; then rm "$2.fail"; echo "no room left"; exit 1; fi
    touch "$2.done" ;;
  undo)
    until test -e "$2.back"; do sleep 0.05; done
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
}

/** One step of the site's own, at work until the test says otherwise. `needs` as in a runbook. */
export function work(id: string, needs: readonly string[] = [], besides = ''): string {
  const command = (verb: string): string => `[sh, ./work.sh, ${verb}, ${id}]`
  const inputs = `run: ${command('do')}, observe: ${command('look')}, inverse: ${command('undo')}, describe: make ${id}${besides}`
  return `  - { id: ${id}, uses: exec, needs: [${needs.join(', ')}], with: { ${inputs} } }\n`
}

/** A runbook named `small` of such steps. Nothing in it depends on time. */
export function switched(steps: string): Switched {
  const runbook = smallRunbook(steps)
  const file = (name: string): string => join(dirname(runbook), name)
  writeFileSync(file('work.sh'), script)
  const touch = (name: string): void => writeFileSync(file(name), '')
  return {
    runbook,
    finish: (step) => touch(`${step}.go`),
    fail: (step) => touch(`${step}.fail`),
    back: (step) => touch(`${step}.back`),
  }
}
