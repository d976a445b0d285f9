import { z } from 'zod'
import { durationMs, file, resourceId, secret } from '../../contract/inputs.js'
import { parseSetPath } from '../../platform/helm/set-path.js'
import { minutes } from '../step.js'

/** Names as helm and Kubernetes take them. */
const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$/, 'lower-case letters, digits and -, 53 at most')

const path = z.string().refine((text) => parseSetPath(text) !== undefined, 'a path as helm --set takes it: a.b[0].c, with \\. for a dot in a key')

/** A chart that is pulled. Its version is demanded: what a run does must not depend on the day. */
const remote = z
  .strictObject({
    oci: z.string().regex(/^oci:\/\/[^/]+\/.+/, 'an OCI chart is oci://host/path').optional(),
    repo: z.string().regex(/^https:\/\/./, 'a chart repository is https://…').optional(),
    /** Of the chart in `repo`. */
    name: z.string().min(1).optional(),
    version: z.string().regex(/^v?\d+\.\d+\.\d+[-+.\w]*$/, 'one version and no range, as in 4.2.0'),
    login: z.strictObject({ username: z.string().min(1), password: secret }).optional(),
    /** PEM file, if the system's authorities do not vouch for the server. */
    ca: file.optional(),
  })
  .refine(({ oci, repo }) => (oci === undefined) !== (repo === undefined), 'give either `oci`, or `repo` and `name`')
  .refine(({ repo, name }) => (repo === undefined) === (name === undefined), '`repo` goes with the `name` of the chart there')

export const releaseInputs = z.strictObject({
  /** Resource id of the cluster. */
  cluster: resourceId,
  namespace: label,
  release: label,
  /** A folder or an archive, or where to pull it from. */
  chart: z.union([file, remote]),
  /** YAML files, the first below the others, all below `values`. */
  valuesFiles: z.array(file).default([]),
  values: z.record(z.string(), z.unknown()).default({}),
  /** Values by helm's paths, over `values`. */
  set: z.record(path, z.json()).default({}),
  /** Values by helm's paths that nobody may see, over everything else. */
  secrets: z.record(path, secret).default({}),
  /** The LoadBalancer Service whose address is the release's. */
  addressFrom: z.strictObject({ service: z.string() }).optional(),
  timeout: durationMs.default(30 * minutes),
})

export type ReleaseInputs = z.infer<typeof releaseInputs>
