import type { z } from 'zod'
import { isPending, LifeboatError, type AnyStep, type JsonObject, type PlanInputs } from '../contract/index.js'
import type { SecretReference } from '../contract/inputs.js'
import type { RunState } from '../journal/index.js'
import { mapSecrets, resolveInputs, type StepNode } from '../runbook/index.js'
import type { Outputs, PlanPorts, SecretPort } from './ports.js'

type Inputs = Record<string, unknown>

/**
 * A step's inputs: expressions resolved against what is known so far, then put through the module's schema key by key, so
 * that one pending input does not keep the others from being checked and defaulted. A secret becomes its reference and a digest of
 * its value as it is now.
 */
export function inputsOf<D>(
  node: StepNode,
  module: AnyStep<D>,
  ports: Pick<PlanPorts<D>, 'runbook' | 'env' | 'secrets'>,
  outputs: Outputs,
): PlanInputs<Inputs> {
  const { runbook, env, secrets } = ports
  const raw = resolveInputs(node, runbook, { env, outputs: (step) => outputs.get(step) }, module)
  const shown = (reference: SecretReference): SecretReference => ({ ...reference, digest: secrets.digest(reference) })
  const withDigests = (inputs: Inputs): Inputs => mapSecrets(inputs, module.inputs, shown)
  if (!Object.values(raw).some(isPending)) return withDigests(parsed(node.id, module.inputs.safeParse(raw)) as Inputs)
  // A schema that takes any key has no shape to find them by.
  const inputs: Record<string, unknown> = Object.fromEntries(Object.entries(raw).filter(([, value]) => isPending(value)))
  for (const [key, schema] of Object.entries(module.inputs.shape)) {
    const value = raw[key]
    const known = isPending(value) ? value : parsed(`${node.id}.${key}`, schema.safeParse(value))
    if (known !== undefined) inputs[key] = known
  }
  return withDigests(inputs)
}

type Parsed = ReturnType<AnyStep<unknown>['inputs']['safeParse']> | ReturnType<z.ZodType['safeParse']>

function parsed(where: string, result: Parsed): unknown {
  if (result.success) return result.data
  const issues = result.error.issues.map(({ path, message }) => `${[where, ...path.map(String)].join('.')}: ${message}`)
  throw new LifeboatError('step.bad-input', issues.join('; '), {
    blame: 'user',
    hint: 'Mend these inputs in the runbook; the values come from its `with` or from the outputs it refers to.',
  })
}

/** What the steps of a run have given, as its journal says. */
export function outputsIn({ steps }: Pick<RunState, 'steps'>): ReadonlyMap<string, JsonObject> {
  return new Map([...steps].flatMap(([id, { outputs }]) => (outputs === undefined ? [] : [[id, outputs] as const])))
}

/** The steps of a runbook that make a resource group, with the group's name, as far as that is known before anything is read. */
export function groupMakers<D>(
  ports: Pick<PlanPorts<D>, 'runbook' | 'env' | 'registry'>,
): readonly { readonly step: string; readonly group: string }[] {
  return ports.runbook.nodes.flatMap((node) => {
    const module = node.kind === 'step' ? ports.registry.get(node.uses) : undefined
    if (node.kind !== 'step' || module?.group === undefined) return []
    const group = module.group(inputsOf(node, module, { ...ports, secrets: unread }, new Map()))
    return typeof group === 'string' ? [{ step: node.id, group }] : []
  })
}

/** Names of the resource groups that a runbook's steps make, as far as they are known before anything is read. */
export function groupsOf<D>(ports: Pick<PlanPorts<D>, 'runbook' | 'env' | 'registry'>): readonly string[] {
  return groupMakers(ports).map(({ group }) => group)
}

/** The names of things are no secrets, so none is read for them. */
export const unread: SecretPort = {
  digest: () => '',
  read: () => {
    throw new LifeboatError('tool.bug', 'a secret was asked for where only names are', { blame: 'tool' })
  },
}

export function allKnown(inputs: PlanInputs<Inputs>): inputs is Inputs {
  return !Object.values(inputs).some(isPending)
}

/** Can `observe` look, or is one of the inputs that say *what* to look at still pending? */
export function canObserve<D>(module: AnyStep<D>, inputs: PlanInputs<Inputs>): boolean {
  return module.identity.every((key) => !isPending(inputs[key]))
}
