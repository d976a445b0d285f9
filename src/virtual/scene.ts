import { join } from 'node:path'
import { openWithin, type WorldWithin } from '../sim/within.js'
import type { KubeCluster } from '../sim/kube/cluster.js'
import type { Authority } from '../sim/pki.js'
import { virtualClock, type VirtualClock } from '../sim/world/clock.js'
import type { ProgramMoment } from '../sim/world/model.js'
import type { WorldSpec } from '../sim/world/spec.js'
import type { Wires } from '../platform/wires.js'
import { openVirtualAzure } from './azure.js'
import { openVirtualDns } from './dns.js'
import { openVirtualExec } from './exec.js'
import type { Gate } from './gate.js'
import { openVirtualHttp } from './http.js'
import { Machine, type Life } from './machine.js'
import { helmModel } from './programs/helm/helm.js'
import type { Renderer } from './programs/helm/render.js'
import { kubectlModel } from './programs/kubectl.js'
import { siteProgram } from './programs/site.js'
import { sshModel } from './programs/ssh.js'
import { noTrouble, type Trouble } from './trouble.js'

export interface SceneOptions {
  readonly spec: WorldSpec
  /** Where the world's files and the state of runs go; private. */
  readonly folder: string
  readonly authority: Authority
  /** From 0 up to 1, out of a seed. */
  readonly random: () => number
  /** How many of the world's seconds pass in one of the machine's. */
  readonly speed: number
  /** Of the real machine: programs are looked for there. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The real helm, which charts are rendered by. */
  readonly renderer: Renderer
  readonly trouble?: Trouble
  /** At most so many milliseconds of the world between a request to Azure and its answer, and a sixth of that at least. */
  readonly latencyMs?: number
}

/** Where somebody sits who runs the tool: a machine, and the state of the runs that were begun there. */
export interface Seat {
  readonly machine: Machine
  readonly stateDir: string
  /** What carries the doors' work of one life into the world. */
  wires(gate: Gate, life: Life): Wires
}

/** A world within this process, and in front of it whoever runs the tool: files, processes, time. */
export interface Scene {
  readonly clock: VirtualClock
  readonly within: WorldWithin
  readonly operator: Seat
  /** Another person with the same rights, on another machine. */
  readonly colleague: Seat
  readonly cloudPath: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly random: () => number
}

export async function openScene(options: SceneOptions): Promise<Scene> {
  const { spec, folder, authority, random, speed, env, renderer, trouble = noTrouble, latencyMs = 240 } = options
  const clock = virtualClock(Date.parse(spec.epoch), speed)
  const within = await openWithin({ spec, clock, authority, folder: join(folder, 'world') })
  const { world } = within
  const clusterAt = (name: string): KubeCluster | undefined => within.kube.at(name)
  const programs = {
    ssh: sshModel({ world, ways: within.ways }),
    helm: helmModel({ clusterAt, renderer, speed }),
    kubectl: kubectlModel(clusterAt),
  }
  const told = (moment: ProgramMoment): void => world.onProgram.forEach((listener) => listener(moment))
  const latency = (): number => Math.round((latencyMs * (1 + 5 * random())) / 6)
  const seat = (machine: Machine, stateDir: string): Seat => ({
    machine,
    stateDir,
    wires: (gate, life) => ({
      azure: openVirtualAzure({
        ...spec,
        ...{ manager: within.manager, clock, gate, latencyMs: latency, trouble },
        isAlive: () => machine.has(life.pid),
      }),
      exec: openVirtualExec({ machine, life, gate, programs, otherwise: siteProgram, trouble, told }),
      http: (options) => openVirtualHttp({ world, hubs: within.hubs, gate, ...options }),
      dns: openVirtualDns({ world, gate }),
    }),
  })
  return {
    clock,
    within,
    operator: seat(new Machine(clock), join(folder, 'state')),
    colleague: seat(new Machine(clock, { host: 'laptop', user: 'colleague' }), join(folder, 'colleague')),
    cloudPath: within.cloudPath,
    env,
    random,
  }
}
