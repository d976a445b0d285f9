import { stat } from 'node:fs/promises'
import { LifeboatError } from '../../contract/index.js'

/**
 * ssh takes no private key that others may read, and says so late and in its own words. Throws `ssh.key` for one that is
 * missing or open to others. Windows keeps permissions elsewhere; there only its presence is looked at.
 */
export async function assertPrivate(path: string): Promise<void> {
  const { mode } = await stat(path).catch((cause: unknown) => {
    throw new LifeboatError('ssh.key', `the SSH key ${path} cannot be read`, {
      blame: 'user',
      hint: 'Name the file of a private key without a passphrase under `sshKey`.',
      cause,
    })
  })
  if (process.platform === 'win32' || (mode & 0o077) === 0) return
  throw new LifeboatError('ssh.key', `the SSH key ${path} can be read by others (mode ${(mode & 0o777).toString(8)}), and ssh does not take it`, {
    blame: 'user',
    hint: `Let only its owner read it: chmod 600 ${path}`,
  })
}
