import { LifeboatError } from '../contract/index.js'
import { differencesOf, notNeeded, type Plan } from '../engine/index.js'
import { differenceLines, formatDuration } from '../render/index.js'
import { assertSameSite, readPlanFile, type PlanFile } from './plan-file.js'
import type { Site } from './site.js'

/** A plan that was shown earlier, by `plan --out`, and is to be run as it was shown. */
export interface ShownPlan {
  readonly path: string
  readonly file: PlanFile
}

/** The file of `--plan`, if one was given and it is of this runbook on this cloud. */
export async function openShown(path: string | undefined, site: Site): Promise<ShownPlan | undefined> {
  if (path === undefined) return undefined
  const file = await readPlanFile(path)
  await assertSameSite(path, file, site)
  return { path, file }
}

/**
 * The plan that was shown, with what is found of readiness now. Throws `plan.moved-on` where something would run now that was
 * not shown; what cannot be planned at all is left to whoever looks whether the plan is ready.
 */
export function asShown(shown: ShownPlan, now: Plan): Plan {
  const { facts, steps } = shown.file
  const differences = differencesOf(steps, now.steps)
  if (differences.length === 0) return { ...now, facts, steps }
  const lines = differenceLines(differences).map((line) => `  ${line}`)
  throw new LifeboatError('plan.moved-on', `the world has moved on: ${shown.path} does not show what would run now\n${lines.join('\n')}`, {
    blame: 'user',
    hint: 'Nothing was changed. Look at a new plan: lifeboat plan RUNBOOK --out FILE',
  })
}

/** `The plan of p.json, made 12m ago by lifeboat 0.1.0: all that would run now is shown there; 3 of its 31 changes are not needed …` */
export function sayShown({ path, file }: ShownPlan, now: Plan, realNow: Date): string {
  const agoMs = realNow.getTime() - Date.parse(file.madeAt)
  const age = agoMs < 0 ? 'in the future, by the clock of this machine' : `${formatDuration(agoMs)} ago`
  const all = file.steps.flatMap(({ changes }) => changes).length
  const fresh = new Map(now.steps.map(({ id, changes }) => [id, changes]))
  const gone = file.steps.flatMap(({ id, changes }) => notNeeded(changes, fresh.get(id) ?? [])).length
  const fewer = gone === 0 ? '' : `; ${gone} of its ${all} changes are not needed any more`
  return `The plan of ${path}, made ${age} by lifeboat ${file.tool}: all that would run now is shown there${fewer}.`
}
