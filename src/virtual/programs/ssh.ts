import ssh2 from 'ssh2'
import { execute, jumpKeys, type Reached } from '../../sim/hosts/reach.js'
import type { Ways } from '../../sim/hosts/ways.js'
import type { Host } from '../../sim/world/model.js'
import type { World } from '../../sim/world/world.js'
import { ended, failed, type Program, type ProgramEnd, type Surroundings } from './program.js'
import { keyOf, optionsFor, textOf, whyNotBelieved } from './ssh-config.js'

export interface SshSurroundings {
  readonly world: World
  readonly ways: Ways
}

/** Milliseconds of the world until one is logged in, on a jump host or behind one: 0.23 s for both (facts/helm-wire). */
const loginMs = 115

const version = 'OpenSSH_9.2p1'

type Options = ReadonlyMap<string, string>

/** The OpenSSH client, as far as its doors use it: `-V`, `-F FILE -T ALIAS LINE`, and `-F FILE -T -W ADDRESS:PORT ALIAS`. */
export function sshModel(around: SshSurroundings): Program {
  const publicHalf = publicHalves()
  return async (args, at) => {
    if (args[0] === '-V') return { exitCode: 0, stdout: '', stderr: `${version}\n` }
    const [flag, config = '', tty, ...rest] = args
    const onward = rest[0] === '-W' ? rest[1] : undefined
    const [alias, line] = onward === undefined ? rest : rest.slice(2)
    if (flag !== '-F' || tty !== '-T' || alias === undefined || (line === undefined && onward === undefined)) {
      return failed(255, `ssh: the model does not know this form: ssh ${args.join(' ')}`)
    }
    const text = textOf(config)
    if (text === '') return failed(255, `Can't open user config file ${config}: No such file or directory`)
    const client = new Client(around, at, text, publicHalf)
    // At SIGTERM ssh ends without a word; what runs on the host goes on.
    return new Promise((resolve, reject) => {
      at.onTerminate(() => resolve(failed(255, '')))
      const work = onward === undefined ? client.run(alias, line ?? '') : client.forward(alias, onward)
      work.then(resolve, reject)
    })
  }
}

/** A way that ended before it led anywhere. */
class Refused {
  constructor(readonly end: ProgramEnd) {}
}

class Client {
  readonly #around: SshSurroundings
  readonly #at: Surroundings
  readonly #config: string
  readonly #publicHalf: (file: string) => string | undefined

  constructor(around: SshSurroundings, at: Surroundings, config: string, publicHalf: (file: string) => string | undefined) {
    this.#around = around
    this.#at = at
    this.#config = config
    this.#publicHalf = publicHalf
  }

  /** Runs a line on a machine. */
  async run(alias: string, line: string): Promise<ProgramEnd> {
    const options = optionsFor(this.#config, alias)
    const jump = options.get('proxyjump')
    const reached = jump === undefined ? await this.#directly(options) : await this.#through(jump, options)
    if (reached instanceof Refused) return reached.end
    const { host } = reached
    await this.#at.sleep(loginMs)
    const refused = this.#notLoggedIn(options, host.hostKey.public, host.user, host.authorizedKeys)
    return refused ?? this.#command(host, line)
  }

  /** `-W`: what one is told who asks a jump host for a channel that it does not open. */
  async forward(alias: string, to: string): Promise<ProgramEnd> {
    const [address = '', port = ''] = to.split(':')
    const reached = await this.#onJump(alias, address, Number(port))
    if (reached instanceof Refused) return reached.end
    return 'host' in reached ? failed(255, 'ssh: the model does not carry a channel') : failed(255, 'stdio forwarding failed')
  }

  async #through(jump: string, options: Options): Promise<{ readonly host: Host } | Refused> {
    const reached = await this.#onJump(jump, options.get('hostname') ?? '', Number(options.get('port') ?? 22))
    if (reached instanceof Refused) {
      // The ssh that went to the jump host has said why; the other one's connection ended.
      return new Refused({ ...reached.end, stderr: `${reached.end.stderr}kex_exchange_identification: Connection closed by remote host\n` })
    }
    if ('host' in reached) return reached
    return this.#refusedAfter(reached.refusedAfterMs, options, 'stdio forwarding failed\nkex_exchange_identification: Connection closed by remote host')
  }

  async #onJump(alias: string, to: string, port: number): Promise<Reached | Refused> {
    const options = optionsFor(this.#config, alias)
    const [name = '', number = '22'] = [options.get('hostname'), options.get('port')]
    const jump = this.#around.ways.jumpAt(name, Number(number))
    if (jump === undefined) return new Refused(failed(255, `ssh: connect to host ${name} port ${number}: Connection refused`))
    await this.#at.sleep(loginMs)
    const refused = this.#notLoggedIn(options, jump.hostKey, jump.user, jumpKeys(this.#around.world))
    return refused === undefined ? jump.to(to, port) : new Refused(refused)
  }

  async #directly(options: Options): Promise<{ readonly host: Host } | Refused> {
    const name = options.get('hostname') ?? ''
    const reached = this.#around.ways.directTo(name)
    if (reached === undefined) return new Refused(failed(255, `ssh: connect to host ${name} port 22: Connection refused`))
    if ('host' in reached) return reached
    return this.#refusedAfter(reached.refusedAfterMs, options, 'kex_exchange_identification: read: Connection reset by peer')
  }

  /** ssh itself waits no longer than its `ConnectTimeout`, in the machine's seconds, for a server's first word. */
  async #refusedAfter(ms: number, options: Options, says: string): Promise<Refused> {
    const mostMs = Number(options.get('connecttimeout') ?? Infinity) * 1000 * (this.#around.world.clock.rate ?? 1)
    await this.#at.sleep(Math.min(ms, mostMs))
    return new Refused(failed(255, ms < mostMs ? says : 'Connection timed out during banner exchange'))
  }

  #notLoggedIn(options: Options, hostKey: string, user: string, keys: readonly string[]): ProgramEnd | undefined {
    const file = options.get('userknownhostsfile') ?? ''
    const name = options.get('hostname') ?? ''
    const distrust = whyNotBelieved({ alias: options.get('hostkeyalias') ?? name, hostKey: keyOf(hostKey), file })
    if (distrust !== undefined) return failed(255, distrust)
    const own = this.#publicHalf(options.get('identityfile') ?? '')
    const isKnown = own !== undefined && keys.some((line) => keyOf(line) === own)
    return isKnown && options.get('user') === user ? undefined : failed(255, `${options.get('user') ?? ''}@${name}: Permission denied (publickey).`)
  }

  /** What has begun goes on there, whatever becomes of the connection. */
  #command(host: Host, line: string): Promise<ProgramEnd> {
    const { world } = this.#around
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (world.answersTo(host.machine, 'a command by ssh')) return
        world.onChange.delete(look)
        resolve(failed(255, 'Received disconnect from UNKNOWN port 65535:11: '))
      }
      world.onChange.add(look)
      execute(world, host, () => Promise.resolve(this.#at.stdin), line, this.#at.sender).then(({ exitCode, stdout, stderr }) => {
        if (!world.onChange.delete(look)) return
        // A system that is gone answers nothing; its end of the connection is looked at with the next change.
        if (world.answersTo(host.machine, 'a command by ssh')) resolve(ended(stdout, stderr, exitCode))
        else resolve(failed(255, 'Received disconnect from UNKNOWN port 65535:11: '))
      }, reject)
    })
  }
}

/** Type and public half of a private key's file, or undefined if there is none that ssh could use. */
function publicHalves(): (file: string) => string | undefined {
  const known = new Map<string, string | undefined>()
  return (file) => {
    const text = textOf(file)
    if (!known.has(text)) known.set(text, publicHalf(text))
    return known.get(text)
  }
}

function publicHalf(text: string): string | undefined {
  const parsed = text === '' ? new TypeError('no key') : ssh2.utils.parseKey(text)
  return parsed instanceof Error ? undefined : `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`
}
