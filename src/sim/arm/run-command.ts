import type { Operation, Resource } from '../world/model.js'
import { onlyReads, type ShellResult } from '../world/shell.js'
import { type World, WorldError } from '../world/world.js'
import type { ArmAnswer, ArmRequest, Body } from './wire.js'

/** The script of a `runCommand`: the body's lines. */
export function scriptOf(body: Body): string {
  return Array.isArray(body['script']) ? body['script'].map(String).join('\n') : ''
}

/** The tail that Azure keeps of a script's output, in characters. */
const keptOutput = 4096

/** An agent that says nothing is given up after so long, and asked so often whether it is back. In milliseconds of the world. */
const agent = { givenUpMs: 25 * 60_000, everyMs: 20_000 }

/**
 * Runs a script on a machine through the control plane: 202, and in the end what it wrote. One at a time on a machine, and
 * only once its agent answers (A137); the exit code is not told.
 */
export function runCommand({ world, arm, body, by }: ArmRequest, machine: Resource): ArmAnswer {
  if (body['commandId'] !== 'RunShellScript') {
    throw new WorldError(404, 'NotFound', `The entity was not found: command ${String(body['commandId'])}.`)
  }
  if (world.host(machine.id)?.power !== 'running') {
    throw new WorldError(409, 'OperationNotAllowed', `Cannot modify extensions in the VM when the VM is not running. VM ${machine.name}.`)
  }
  const script = scriptOf(body)
  const running = world.operations.some(
    (one) => one.status === 'running' && one.what === 'runCommand' && one.resource.toLowerCase() === machine.id.toLowerCase(),
  )
  if (running) {
    throw new WorldError(409, 'Conflict', 'Run command extension execution is in progress. Please wait for completion before invoking a run command.')
  }
  let done: Promise<unknown> | undefined
  let output: ShellResult = { exitCode: 0, stdout: '', stderr: '' }
  const operation = world.begin('runCommand', machine.id, world.durationOf('runCommand'), () => {
    done = agentAnswers(world, machine, operation).then((answers) => (answers ? run() : undefined))
  })
  const run = (): Promise<unknown> => {
    world.log({ door: 'runCommand', method: 'EXEC', path: script, status: 200, writes: !onlyReads(script), ...(by !== undefined && { by }) })
    return world.shell(machine.id, script).then(
      (result) => (output = result),
      (error: unknown) => (output = { exitCode: 255, stdout: '', stderr: String(error) }),
    )
  }
  const result = (): unknown => {
    const tail = (text: string): string => text.slice(-keptOutput)
    const message = `Enable succeeded: \n[stdout]\n${tail(output.stdout)}\n[stderr]\n${tail(output.stderr)}`
    return { value: [{ code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Provisioning succeeded', message }] }
  }
  const tracking = { operation, namespace: 'Microsoft.Compute', result, until: () => done, exclusive: false }
  return { status: 202, headers: arm.operations.track(tracking, ['async', 'location']) }
}

/**
 * Resolves once the machine's agent answers; where it does not, the operation has failed after all. Its time is up, and it runs on: that
 * is what everybody reads of it meanwhile, and it ends with its machine like any other (A132).
 */
function agentAnswers(world: World, machine: Resource, operation: Operation): Promise<boolean> {
  const untilMs = world.clock.nowMs() + agent.givenUpMs
  operation.status = 'running'
  return new Promise((resolve) => {
    const look = (): void => {
      if (operation.status !== 'running') return resolve(false)
      const answers = world.answersTo(machine.id, 'a run command')
      if (!answers && world.clock.nowMs() < untilMs && world.resource(machine.id) === machine) {
        world.clock.schedule(agent.everyMs, look)
        return
      }
      operation.status = answers ? 'succeeded' : 'failed'
      operation.durationMs = world.clock.nowMs() - operation.startedAtMs
      if (!answers) {
        const message = `VM '${machine.name}' has not reported status for VM agent or extensions.`
        operation.error = { code: 'VMAgentStatusCommunicationError', message, status: 409 }
      }
      resolve(answers)
      world.changed()
    }
    look()
  })
}
