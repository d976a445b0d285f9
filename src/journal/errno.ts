/** Is it the system's error of that code, such as `ENOENT`? */
export function isErrno(error: unknown, code: string): boolean {
  return errnoOf(error) === code
}

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
