import { isPending, LifeboatError, type Observation, type Pending } from '../../contract/index.js'
import type { Machine } from '../../platform/azure/door.js'
import { nameOf } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'
import type { SshHost } from '../../platform/ssh/door.js'
import { isSilence } from './fence.js'
import { isPrepared, type Image } from './image.js'
import { wayOutMend, whyNoWayOut } from './way-out.js'

/** What a new machine is made of, and who logs in to it. */
export interface NewServer {
  readonly adminUser: string
  readonly sshKey: string
  readonly subnet: string
  readonly image: Image | Pending
}

/** `ready` once SSH answers and the kernel has ZFS; otherwise what the step observes. */
export type FirstBoot =
  | { readonly state: 'ready' }
  /** `dumb`: it says nothing at all. */
  | { readonly state: 'in-flight'; readonly what: string; readonly dumb?: true }
  | Extract<Observation<unknown, unknown>, { readonly state: 'conflict' | 'unknown' }>

/** Waits for cloud-init, whatever it says in the end: what counts is that the kernel has ZFS. One connection tells all. */
const bootCheck = [
  ...['sh', '-c'],
  'cloud-init status --long; test -d /sys/module/zfs && echo zfs: loaded; test -e /usr/sbin/zpool && echo zfs: installed',
]

/** How far the first boot of a machine has come. Unknown by what waiting does not mend: a wrong host key, a key that is refused. */
export async function firstBootOf(machine: Machine, wanted: NewServer, doors: Platform): Promise<FirstBoot> {
  try {
    return await toldBy(machine, wanted, doors)
  } catch (cause) {
    if (!(cause instanceof LifeboatError)) throw cause
    return { state: 'unknown', why: cause.message, cause }
  }
}

async function toldBy(machine: Machine, wanted: NewServer, doors: Platform): Promise<FirstBoot> {
  const { provisioningState, powerState } = machine
  // One that has failed may be whole all the same: only it can tell.
  if (!/^(Succeeded|Failed)$/.test(provisioningState) || powerState !== 'running') {
    return { state: 'in-flight', what: `machine is ${provisioningState.toLowerCase()}, ${powerState ?? 'not running yet'}` }
  }
  const host: SshHost = { machine: machine.id, user: wanted.adminUser, key: wanted.sshKey }
  let said: string
  try {
    said = (await doors.ssh.read(host, bootCheck)).stdout
  } catch (error) {
    // Not up yet: neither its SSH nor its agent.
    if (!(error instanceof LifeboatError) || (error.retry === undefined && !isSilence(error))) throw error
    return { state: 'in-flight', what: `it boots, or its security group keeps us out: ${error.message}`, ...(isSilence(error) ? { dumb: true } : {}) }
  }
  if (/^status: (running|not run|not started)/m.test(said)) return { state: 'in-flight', what: 'it answers by SSH; packages and ZFS are being installed' }
  const [isLoaded, isInstalled] = [/^zfs: loaded/m.test(said), /^zfs: installed/m.test(said)]
  if (/^status: error/m.test(said)) return failedBoot(machine, said, wanted, doors)
  if (isLoaded) return { state: 'ready' }
  if (isInstalled) return { state: 'in-flight', what: 'its first boot is over, but its kernel has not loaded ZFS' }
  if (/^status: done/m.test(said)) return failedBoot(machine, said, wanted, doors)
  return { state: 'unknown', why: 'cloud-init does not say how far it is' }
}

/** What cloud-init could not do will not come by waiting. After another start it says `done` all the same. */
async function failedBoot({ id }: Machine, said: string, { image, subnet }: NewServer, doors: Platform): Promise<FirstBoot> {
  const failed = (what: string, mend: string): FirstBoot => {
    return { state: 'conflict', why: `the first boot of ${id} failed: ${what}`, mend: `${mend} Then delete the machine, or mend it by hand, and resume.` }
  }
  const log = 'Its /var/log/cloud-init-output.log says why.'
  if (/^zfs: installed/m.test(said)) return failed('cloud-init ended with an error', log)
  if (!isPending(image) && isPrepared(image)) return failed(`its image ${nameOf(image.id)} has no ZFS`, 'Use one that has ZFS and the NFS server.')
  const why = await whyNoWayOut(subnet, doors)
  return failed(`its packages for ZFS and NFS could not be installed${why === undefined ? '' : ` (${why})`}`, why === undefined ? log : wayOutMend)
}

