import { z } from 'zod'
import { isPending, type Finding, type Pending } from '../../contract/index.js'
import { resourceId } from '../../contract/inputs.js'
import { nameOf, parseId, samePlace } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'

/** One of the marketplace, which fetches ZFS and NFS when the machine is made; or one of the site's own, by its id, that has them. */
export const image = z.union([
  z.strictObject({ publisher: z.string(), offer: z.string(), sku: z.string(), version: z.string().default('latest') }),
  z.strictObject({ id: resourceId }),
])
export type Image = z.infer<typeof image>

export const debian: Image = { publisher: 'Debian', offer: 'debian-12', sku: '12-gen2', version: 'latest' }

export function isPrepared(one: Image): one is Extract<Image, { id: string }> {
  return 'id' in one
}

const types = /^Microsoft\.Compute\/(images|galleries\/images\/versions)$/i

/** Is an image of the site's own there, and where the machine will be? */
export async function imageFindings(
  one: Image | Pending,
  location: string | Pending,
  { azure }: Pick<Platform, 'azure'>,
): Promise<Finding[]> {
  if (isPending(one) || !isPrepared(one)) return []
  const stop = (what: string, mend: string): Finding[] => [{ level: 'stop', what, mend }]
  if (!types.test(parseId(one.id).type)) {
    return stop(`${one.id} is no image`, 'Give the id of a managed image, or of one version in a gallery (`az sig image-version list`).')
  }
  const found = await azure.resources.get(one.id)
  if (found === undefined) return stop(`there is no image ${one.id}`, 'Look at `az image list` and `az sig image-version list`, and at the runbook.')
  if (isPending(location) || placesOf(found).some((place) => samePlace(place, location))) return []
  return stop(`the image ${nameOf(one.id)} is not in ${location}, only in ${placesOf(found).join(', ')}`, 'Replicate it there (`az sig image-version update`), or use one that is there.')
}

interface Published {
  readonly targetRegions?: readonly { readonly name?: string }[]
}

/** A version in a gallery is where it is replicated to. */
function placesOf({ location, properties }: { readonly location: string; readonly properties: object }): readonly string[] {
  const { publishingProfile } = properties as { readonly publishingProfile?: Published }
  return [location, ...(publishingProfile?.targetRegions ?? []).flatMap(({ name }) => name ?? [])]
}
