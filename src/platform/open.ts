import type { Clock, Log } from '../contract/index.js'
import { hostFactsReader, openAzure } from './azure/open.js'
import { AzureSession } from './azure/session.js'
import type { Cloud } from './cloud/schema.js'
import { openCommands } from './command/command.js'
import { openDns } from './dns/resolver.js'
import type { Exec } from './exec/command.js'
import { SystemExec } from './exec/exec.js'
import { Charts } from './helm/charts.js'
import { openHelm } from './helm/helm.js'
import { openHttp } from './http/client.js'
import { KubeAccess } from './kube/access.js'
import { openKube } from './kube/kubectl.js'
import { findTools } from './kube/tools.js'
import { workingFor } from './log/step.js'
import type { Platform } from './platform.js'
import type { ChildLog, DoorScope } from './scope.js'
import { SshFiles } from './ssh/files.js'
import { openSsh } from './ssh/ssh.js'
import type { Wires } from './wires.js'

export interface PlatformOptions {
  readonly cloud: Cloud
  readonly subscription: string
  readonly clock: Clock
  /** Private folder of the run (0700) for credentials while they are needed. */
  readonly secrets: string
  readonly run: string
  readonly runbook: string
  /** The runbook's: the site's own commands run there. */
  readonly folder: string
  /** Of this process: for PATH, for LIFEBOAT_HELM and LIFEBOAT_KUBECTL, and for a credential by `{ env }`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told of every request and every command. */
  readonly log?: Log
  /** Absent: sockets, and programs of this machine. */
  readonly wires?: Wires
}

/** Names runbook and cloud, as the mark on children: see `marks`. */
export function siteMark({ cloud, subscription, runbook }: Pick<PlatformOptions, 'cloud' | 'subscription' | 'runbook'>): string {
  return `${runbook}@${cloud.resourceManager}/${subscription}`
}

/** All doors of a run: what costs time to open (login, host keys, tools) is shared, what bears a step's name is its own. */
export function openPlatform(options: PlatformOptions): (scope: Pick<DoorScope, 'step' | 'children'>) => Platform {
  const { cloud, clock, secrets, env, subscription, wires } = options
  const logging = options.log === undefined ? {} : { log: options.log }
  const session = new AzureSession({ cloud, subscription, clock, environment: env, ...logging, ...(wires && { wire: wires.azure }) })
  const hosts = hostFactsReader(session)
  const path = env['PATH'] ?? ''
  const site = siteMark(options)
  const execFor = (children: ChildLog): Exec => {
    const wishes = { clock, children, site, path, secrets, ...logging }
    return wires?.exec(wishes) ?? new SystemExec(wishes)
  }
  const reading = execFor({ started: async () => undefined, ended: async () => undefined })
  const tools = findTools(reading, env)
  const { httpsProxy } = cloud.reach
  const proxy = httpsProxy === undefined ? {} : { httpsProxy }
  const clusters = openAzure(session, hosts, { run: options.run, runbook: options.runbook, step: 'credentials' }).clusters
  const access = new KubeAccess({ secrets, credentials: (cluster) => clusters.credentials(cluster), ...proxy })
  const files = new SshFiles({ secrets, path })
  const charts = new Charts({ exec: reading, tools, secrets })
  const shared = {
    dns: wires?.dns ?? openDns(cloud.reach.nameServers),
    http: wires?.http({ clock, ...logging }) ?? openHttp({ clock, ...proxy, ...logging }),
  }
  return ({ step, children }) => {
    const exec = execFor(children)
    const doors = {
      ...shared,
      azure: openAzure(session, hosts, { run: options.run, runbook: options.runbook, step }),
      ssh: openSsh({ exec, clock, reach: cloud.reach, secrets, path, facts: (machine) => hosts.of(machine), files }),
      helm: openHelm({ exec, access, tools, clock, secrets, charts }),
      kube: openKube({ exec, access, tools, clock }),
      command: openCommands({ exec, cloud, folder: options.folder, path, env }),
    }
    return { ...workingFor(step, doors), clock }
  }
}
