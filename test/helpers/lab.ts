import { join } from 'node:path'
import { describe } from 'vitest'
import { labImage, labNeeds } from '../../src/sim/lab/image.js'
import { serveWorld } from '../../src/sim/serve.js'
import { root, temporaryFolder } from './cli.js'
import { subscription } from './steps.js'

/** Skipped where this machine cannot run the lab; `lab-image.ts` has said why. */
export const inTheLab = describe.skipIf(labNeeds(process.env).length > 0)

export const oldServer = `/subscriptions/${subscription}/resourceGroups/MC_data100-19s_data100-19s_westus2/providers/Microsoft.Compute/virtualMachines/nfsserver`

export type LabWorld = Awaited<ReturnType<typeof labWorld>>

/** The world of data100 with real NFS hosts, in this process: its old server is up, its pool made and exported, when this resolves. */
export async function labWorld() {
  const image = await labImage(process.env, () => undefined)
  const folder = temporaryFolder()
  const said: string[] = []
  const served = await serveWorld({
    world: join(root, 'fixtures/worlds/lab.yaml'),
    // Machines under emulation take their own time: the world's must not run away from them.
    speed: 3,
    stateDir: join(folder, 'world'),
    lab: image,
    log: (line) => void said.push(line),
  })
  /** Runs a script as root on a machine, past the world's doors; throws where it fails. */
  const on = async (machine: string, script: string): Promise<string> => {
    const result = await served.world.real?.run(machine, script)
    if (result?.exitCode !== 0) throw new Error(`${script}\nfailed on ${machine}: ${JSON.stringify(result)}\n${said.join('\n')}`)
    return result.stdout
  }
  return {
    served,
    folder,
    said,
    on,
    [Symbol.asyncDispose]: () => served.stop(),
  }
}
