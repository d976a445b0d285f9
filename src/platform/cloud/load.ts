import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { LifeboatError, Secret } from '../../contract/index.js'
import { rememberSecret } from '../log/known.js'
import { cloudSchema, type Cloud, type Reference } from './schema.js'

/** Azure's own clouds, for a run without `--cloud`: the login is the Azure CLI's. */
const azureClouds: Readonly<Record<string, Pick<Cloud, 'resourceManager' | 'authority'>>> = {
  AzurePublicCloud: {
    resourceManager: 'https://management.azure.com',
    authority: 'https://login.microsoftonline.com',
  },
  AzureUSGovernment: {
    resourceManager: 'https://management.usgovcloudapi.net',
    authority: 'https://login.microsoftonline.us',
  },
  AzureChinaCloud: {
    resourceManager: 'https://management.chinacloudapi.cn',
    authority: 'https://login.chinacloudapi.cn',
  },
}

/** One of Azure's clouds by its name. Throws `cloud.unknown`. */
export function azureCloud(name: string): Cloud {
  const known = azureClouds[name]
  if (known === undefined) {
    throw new LifeboatError('cloud.unknown', `there is no cloud ${name}`, {
      blame: 'user',
      hint: `Known are ${Object.keys(azureClouds).join(', ')}; any other needs --cloud FILE.`,
    })
  }
  return cloudSchema.parse({ name, ...known, tenant: 'organizations', credential: { kind: 'azure-cli' } })
}

/** Reads a cloud file, YAML or JSON; its paths become absolute. Throws `cloud.unreadable` and `cloud.invalid`. */
export async function loadCloud(path: string): Promise<Cloud> {
  const raw = await readCloud(path)
  const result = cloudSchema.safeParse(raw)
  if (!result.success) {
    const issues = result.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`)
    throw new LifeboatError('cloud.invalid', `${path} is no cloud file: ${issues.join('; ')}`, {
      blame: 'user',
      hint: 'Its fields are described in src/platform/cloud/schema.ts.',
    })
  }
  return withAbsolutePaths(result.data, dirname(resolve(path)))
}

async function readCloud(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new LifeboatError('cloud.unreadable', `the cloud file ${path} cannot be read`, {
      blame: 'user',
      cause,
      hint: 'Give the path of a cloud file with --cloud. Without that flag it is the cloud that the runbook names, with the login of `az login`.',
    })
  }
}

function withAbsolutePaths(cloud: Cloud, folder: string): Cloud {
  const place = (reference: Reference): Reference =>
    'file' in reference ? { file: resolve(folder, reference.file) } : reference
  const { credential, certificateAuthority, env, reach } = cloud
  return {
    ...cloud,
    credential: credential.kind === 'client-secret' ? { ...credential, secret: place(credential.secret) } : credential,
    ...(certificateAuthority === undefined ? {} : { certificateAuthority: resolve(folder, certificateAuthority) }),
    ...(env === undefined ? {} : { env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, typeof value === 'string' ? value : place(value)])) }),
    reach: {
      ...reach,
      ssh: reach.ssh.map((way) =>
        way.via === 'direct' || way.via.jump.identity === undefined
          ? way
          : { ...way, via: { jump: { ...way.via.jump, identity: place(way.via.jump.identity) } } },
      ),
    },
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** What a reference leads to. Throws `cloud.reference` naming the place, never the value. */
export function readReference(reference: Reference, environment: Environment): Secret {
  if ('env' in reference) {
    const value = environment[reference.env]
    if (value !== undefined) return remembered(value)
    throw new LifeboatError('cloud.reference', `the environment has no ${reference.env}, which is referred to`, {
      blame: 'user',
      hint: `export ${reference.env}=…, or put it into the env section of the cloud file where that has one.`,
    })
  }
  try {
    return remembered(readFileSync(reference.file, 'utf8').trim())
  } catch (cause) {
    throw new LifeboatError('cloud.reference', `${reference.file}, which is referred to, cannot be read`, {
      blame: 'user',
      hint: 'Check the path: it begins at the folder of the file that names it.',
      cause,
    })
  }
}

/**
 * What `${{ env.X }}` reads: the cloud file's own section where it has one, and then nothing else; otherwise the process's
 * environment. A value by `file` is that file's path: keys are read by those who use them.
 */
export function envOf(cloud: Cloud, environment: Environment): (name: string) => string | undefined {
  const { env } = cloud
  if (env === undefined) return (name) => environment[name]
  return (name) => {
    const value = env[name]
    if (value === undefined || typeof value === 'string') return value
    return 'file' in value ? value.file : environment[value.env]
  }
}

/** What the secrets that a runbook refers to are read from. */
export interface SecretSources {
  readonly cloud: Pick<Cloud, 'env'>
  /** Relative files begin here. */
  readonly folder: string
  readonly env: Environment
}

/**
 * A secret that a runbook refers to. `{ env }` is looked up where `${{ env.X }}` is: in the cloud file's section if it has one,
 * and then nowhere else. Throws `cloud.reference` naming the place, never the value.
 */
export function readSecret(reference: Reference, { cloud, folder, env }: SecretSources): Secret {
  if ('file' in reference) return readReference({ file: resolve(folder, reference.file) }, env)
  if (cloud.env === undefined) return readReference(reference, env)
  const value = cloud.env[reference.env]
  if (typeof value === 'string') return remembered(value)
  if (value !== undefined) return readReference(value, env)
  throw new LifeboatError('cloud.reference', `the cloud file's env section has no ${reference.env}, which the runbook refers to`, {
    blame: 'user',
    hint: `Put ${reference.env} there, as { file: … } or { env: … } so that the cloud file itself holds no secret.`,
  })
}

function remembered(value: string): Secret {
  rememberSecret(value)
  return new Secret(value)
}
