import { z } from 'zod'

/** A file of the site by its name alone, as a world's file has it: a path would lead out of the world's own folder. */
export const siteFileName = z.string().regex(/^[\w-][\w.-]*$/, 'the name of a file, without a path')
