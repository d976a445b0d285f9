import { randomBytes } from 'node:crypto'

/** In every secret that a world makes up, at its beginning and its end: whoever searches finds where one has got to, or a part of it. */
export const secretMark = 'Q7WorldSecret'

/** A new secret of a world, with `bytes` of chance in it. */
export const makeSecret = (bytes: number): string => `${secretMark}${randomBytes(bytes).toString('base64url')}${secretMark}`
