import type { Resource } from '../world/model.js'
import { onlyReads, type ShellResult } from '../world/shell.js'
import { WorldError } from '../world/world.js'
import type { ArmAnswer, ArmRequest, Body } from './wire.js'

/** The script of a `runCommand`: the body's lines. */
export function scriptOf(body: Body): string {
  return Array.isArray(body['script']) ? body['script'].map(String).join('\n') : ''
}

/** The tail that Azure keeps of a script's output, in characters. */
const keptOutput = 4096

/**
 * Runs a script on a machine through the control plane: 202, and in the end what it wrote. One at a time on a machine, and
 * only while its agent answers; the exit code is not told.
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
    if (!world.answersTo(machine.id, 'a run command')) {
      throw new WorldError(409, 'VMAgentStatusCommunicationError', `VM '${machine.name}' has not reported status for VM agent or extensions.`)
    }
    world.log({ door: 'runCommand', method: 'EXEC', path: script, status: 200, writes: !onlyReads(script), ...(by !== undefined && { by }) })
    done = world.shell(machine.id, script).then(
      (result) => (output = result),
      (error: unknown) => (output = { exitCode: 255, stdout: '', stderr: String(error) }),
    )
  })
  const result = (): unknown => {
    const tail = (text: string): string => text.slice(-keptOutput)
    const message = `Enable succeeded: \n[stdout]\n${tail(output.stdout)}\n[stderr]\n${tail(output.stderr)}`
    return { value: [{ code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Provisioning succeeded', message }] }
  }
  const tracking = { operation, namespace: 'Microsoft.Compute', result, until: () => done, exclusive: false }
  return { status: 202, headers: arm.operations.track(tracking, ['async', 'location']) }
}
