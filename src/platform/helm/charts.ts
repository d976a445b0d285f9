import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LifeboatError } from '../../contract/index.js'
import { strikeOut } from '../command/strike.js'
import type { Exec } from '../exec/exec.js'
import { privateHome } from '../kube/access.js'
import { lastLine } from '../kube/errors.js'
import type { Tools } from '../kube/tools.js'
import { OnceEach } from '../once.js'
import type { RemoteChart } from './door.js'

export interface ChartOptions {
  readonly exec: Exec
  readonly tools: Tools
  /** Private folder of the run (0700), swept when a life of it starts and ends: what is pulled is kept for one life. */
  readonly secrets: string
}

/** Real milliseconds for one pull. */
const pullMs = 120_000

/** Name of the one repository in the private list of repositories. */
const alias = 'lifeboat'

/** Charts from registries and repositories: each is pulled once, by the real helm, and used from there. */
export class Charts {
  readonly #options: ChartOptions
  readonly #pulled = new OnceEach<string>()

  constructor(options: ChartOptions) {
    this.#options = options
  }

  /** Path of a chart on this machine. Throws `helm.pull`. */
  async pathOf(chart: string | RemoteChart): Promise<string> {
    if (typeof chart === 'string') return chart
    return this.#pulled.get(chartLabel(chart), () => this.#pull(chart))
  }

  async #pull(chart: RemoteChart): Promise<string> {
    const place = createHash('sha256').update(chartLabel(chart)).digest('hex').slice(0, 16)
    const home = join(this.#options.secrets, 'charts', place)
    const before = await archiveIn(join(home, 'pulled'))
    if (before !== undefined) return before
    // Begun anew, and renamed at the end: half an archive is none.
    await rm(home, { recursive: true, force: true })
    const into = join(home, 'pulling')
    await mkdir(into, { recursive: true, mode: 0o700 })
    try {
      const credentials = await writeCredentials(home, chart)
      const ca = chart.ca === undefined || 'repo' in chart ? [] : ['--ca-file', chart.ca]
      const reference = 'oci' in chart ? chart.oci : `${alias}/${chart.name}`
      if ('repo' in chart) await this.#helm(chart, home, ['repo', 'update', alias, ...credentials])
      await this.#helm(chart, home, ['pull', reference, '--version', chart.version, '-d', into, ...ca, ...credentials])
    } finally {
      await rm(join(home, 'credentials'), { force: true })
    }
    await rename(into, join(home, 'pulled'))
    const archive = await archiveIn(join(home, 'pulled'))
    if (archive === undefined) throw pullError(chart, 'helm pulled no archive')
    return archive
  }

  async #helm(chart: RemoteChart, home: string, args: readonly string[]): Promise<void> {
    const { exec, tools } = this.#options
    const { path } = await tools.helm()
    const { exitCode, stdout, stderr } = await exec.run({ file: path, args, env: privateHome(home), timeoutMs: pullMs })
    // `helm repo update` says on its standard output why it could not.
    if (exitCode !== 0) throw pullError(chart, `${stdout}\n${stderr}`)
  }
}

async function archiveIn(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => [])
  const name = names.find((one) => one.endsWith('.tgz'))
  return name === undefined ? undefined : join(folder, name)
}

/** How a chart from afar is called in plans and journals; its login does not belong to it. */
export function chartLabel(chart: RemoteChart): string {
  return 'oci' in chart ? `${chart.oci}:${chart.version}` : `${chart.name} ${chart.version} from ${chart.repo}`
}

/**
 * Credentials go by a file that helm reads: on its command line everybody would see them, and `helm registry login` would hand
 * them to a credential helper of the operator's, if there is one.
 */
async function writeCredentials(home: string, chart: RemoteChart): Promise<readonly string[]> {
  const file = join(home, 'credentials')
  const { login, ca } = chart
  const write = (content: object): Promise<void> => writeFile(file, JSON.stringify(content), { mode: 0o600, flag: 'wx' })
  if ('oci' in chart) {
    const host = new URL(chart.oci.replace(/^oci:/, 'https:')).host
    const auth = login === undefined ? undefined : Buffer.from(`${login.username}:${login.password.reveal()}`).toString('base64')
    await write({ auths: auth === undefined ? {} : { [host]: { auth } } })
    return ['--registry-config', file]
  }
  const known = login === undefined ? {} : { username: login.username, password: login.password.reveal() }
  await write({ apiVersion: '', generated: '0001-01-01T00:00:00Z', repositories: [{ name: alias, url: chart.repo, ...known, ...(ca === undefined ? {} : { caFile: ca }) }] })
  return ['--repository-config', file]
}

function pullError(chart: RemoteChart, told: string): LifeboatError {
  const { login } = chart
  const said = strikeOut(told, login === undefined ? [] : [login.password.reveal()])
  const text = /^\s+(?:Get|failed to fetch) .*$/m.exec(said)?.[0].trim() ?? lastLine(said)
  const { hint, passing } = reasons.find(({ says }) => says.test(said)) ?? { hint: 'Look at the place that the runbook names under chart.' }
  return new LifeboatError('helm.pull', `the chart ${chartLabel(chart)} cannot be pulled: ${text}`, {
    blame: passing === true ? 'cloud' : 'user',
    hint,
    ...(passing === true ? { retry: {} } : {}),
  })
}

interface Reason {
  readonly says: RegExp
  readonly hint: string
  /** It may pass by itself. */
  readonly passing?: boolean
}

const reasons: readonly Reason[] = [
  { says: /\b40[13]\b[: ]|unauthorized|forbidden|credential not found|denied/i, hint: 'Give a login under chart.login, with the password by reference, that may read there.' },
  { says: /x509|certificate/i, hint: 'Name the authority that vouches for this server, a PEM file, under chart.ca.' },
  { says: /no chart (name|version) found|not found/i, hint: 'Check name and version: `helm search repo` and `helm show chart` list what is there.' },
  {
    says: /connection refused|no such host|[Tt]imeout|timed out|reset by peer|EOF|no route to host|\b50[0-4] [A-Z]/,
    hint: 'The place where the chart lies does not answer. A copy in a folder of yours (`helm pull`) makes the failover independent of it.',
    passing: true,
  },
]
