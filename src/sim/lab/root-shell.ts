import ssh2, { type Client as SshClient } from 'ssh2'
import type { ShellResult } from '../world/shell.js'

const { Client, utils } = ssh2

export interface RootDoor {
  /** On loopback. */
  readonly port: number
  /** OpenSSH's own format. */
  readonly privateKey: string
  /** One line: the key that the machine must show. */
  readonly hostKey: string
}

/** The world's own way into a machine of the lab: root, by a key that nobody else has, over one connection that stays. */
export class RootShell {
  private constructor(readonly client: SshClient) {}

  /** One try; rejects where nobody answers yet, or somebody else does. */
  static connect({ port, privateKey, hostKey }: RootDoor): Promise<RootShell> {
    const parsed = utils.parseKey(hostKey)
    const wanted = parsed instanceof Error ? undefined : parsed.getPublicSSH()
    const client = new Client()
    return new Promise((resolve, reject) => {
      const refuse = (error: Error): void => {
        client.destroy()
        reject(error)
      }
      client.on('error', refuse)
      client.once('close', () => refuse(new Error('the connection was closed')))
      client.once('ready', () => resolve(new RootShell(client)))
      client.connect({
        host: '127.0.0.1',
        port,
        username: 'root',
        privateKey,
        // Emulated machines shake hands slowly.
        readyTimeout: 60_000,
        hostVerifier: (key: Buffer) => wanted?.equals(key) === true,
      })
    })
  }

  /** Runs a script to its end. Exit code 255 where the connection breaks, as with ssh. */
  run(script: string): Promise<ShellResult> {
    return new Promise((resolve) => {
      const end = (result: ShellResult): void => {
        this.client.off('close', broken)
        resolve(result)
      }
      const broken = (why?: unknown): void => end({ exitCode: 255, stdout: '', stderr: `${String(why ?? 'the connection broke')}\n` })
      this.client.on('close', broken)
      try {
        this.client.exec(script, (error, channel) => {
          if (error) return broken(error)
          const out = { stdout: '', stderr: '' }
          let exitCode = 255
          channel.setEncoding('utf8').on('data', (text: string) => (out.stdout += text))
          channel.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text))
          channel.on('exit', (code: number | null) => (exitCode = code ?? 255))
          channel.on('close', () => end({ exitCode, ...out }))
          channel.end()
        })
      } catch (error) {
        broken(error)
      }
    })
  }

  close(): void {
    this.client.destroy()
  }
}
