import { isPending, LifeboatError, type Finding, type PlanInputs } from '../../contract/index.js'
import { assertPrivate } from '../../platform/files/private.js'
import type { Platform } from '../../platform/platform.js'

/** ProxyJump came with it. */
const oldestSsh = 7.3

/** A private key that is there and that ssh will take. */
export async function keyFindings(sshKey: unknown): Promise<Finding[]> {
  if (isPending(sshKey)) return []
  return stopIf(assertPrivate(String(sshKey)))
}

export interface NewHost {
  readonly subnet: string
  readonly adminUser: string
  readonly sshKey: string
}

/** Will a machine that is still to be made be reached by SSH? The client, the key, and the jump host of its network. */
export async function wayFindings(wanted: PlanInputs<NewHost>, doors: Pick<Platform, 'ssh' | 'azure'>): Promise<Finding[]> {
  const [client, key] = await Promise.all([clientFindings(doors), keyFindings(wanted.sshKey)])
  // Without these two, every jump host would be found wanting for the same reason.
  if (client.length + key.length > 0) return [...client, ...key]
  return jumpFindings(wanted, doors)
}

async function clientFindings({ ssh }: Pick<Platform, 'ssh'>): Promise<Finding[]> {
  const missing = await stopIf(ssh.version())
  if (missing.length > 0) return missing
  const { path, version } = await ssh.version()
  if (version === '' || Number(version) >= oldestSsh) return []
  return [{ level: 'stop', what: `${path} is OpenSSH ${version}, which knows no jump hosts`, mend: `Install an OpenSSH client of ${oldestSsh} or later.` }]
}

async function jumpFindings({ subnet, adminUser, sshKey }: PlanInputs<NewHost>, doors: Pick<Platform, 'ssh' | 'azure'>): Promise<Finding[]> {
  if (doors.ssh.networks().length === 0) {
    const mend = 'Write a cloud file with reach.ssh (a jump host in that network, or `direct`) and give it with --cloud.'
    return [{ level: 'stop', what: 'the cloud file names no way by SSH into any network, so the new server could not be reached', mend }]
  }
  if (isPending(adminUser) || isPending(sshKey)) return []
  const networks = isPending(subnet) ? await networksToCome(doors) : [networkOf(subnet)]
  const login = { user: adminUser, key: sshKey }
  const found = await Promise.all(networks.map((network) => stopIf(doors.ssh.tryJump(network, login), jumpMend)))
  return found.flat()
}

const jumpMend = 'Look at reach.ssh in the cloud file: its host, port, user, identity and hostKey, and whether that host is up and lets you in.'

/**
 * While the network of a new machine does not exist, nothing tells its id but the cloud file: the ways that lead into
 * networks which are not there yet are the ones that somebody wrote down for it.
 */
async function networksToCome({ ssh, azure }: Pick<Platform, 'ssh' | 'azure'>): Promise<readonly string[]> {
  const networks = ssh.networks()
  const there = await Promise.all(networks.map((network) => azure.resources.get(network)))
  return networks.filter((_, index) => there[index] === undefined)
}

function networkOf(subnet: string): string {
  return subnet.replace(/\/subnets\/[^/]+$/i, '')
}

/** What a check throws on purpose as a stop; a bug stays one. */
async function stopIf(check: Promise<unknown>, mend?: string): Promise<Finding[]> {
  try {
    await check
    return []
  } catch (error) {
    if (!(error instanceof LifeboatError)) throw error
    return [{ level: 'stop', what: error.message, mend: error.hint ?? mend ?? 'Mend this, then try again.' }]
  }
}
