/** What QEMU boots: files in the cache, never written to. */
export interface Image {
  readonly root: string
  readonly kernel: string
  readonly initrd: string
  /** A machine of this image that has booted; where none could be kept, each boots for itself. */
  readonly booted?: Booted
}

/** A machine that has booted and waits to be told what it is: its system disk and its whole state, as files. */
export interface Booted {
  readonly disk: string
  readonly state: string
}
