/**
 * Loads what the doors would load on first use: while a world's time passes, nothing may be read from this machine's disk that the
 * world's clock does not wait for.
 */
export async function loadSdks(): Promise<void> {
  await Promise.all([
    import('@azure/arm-compute'),
    import('@azure/arm-containerservice'),
    import('@azure/arm-dns'),
    import('@azure/arm-resources'),
    import('@azure/core-rest-pipeline'),
    import('./wire.js'),
  ])
}
