/** A way by SSH into one virtual network, in the shape of the cloud file's `reach.ssh`. */
export interface SshWay {
  readonly network: string
  readonly via: 'direct' | { readonly jump: { readonly host: '127.0.0.1'; readonly port: number; readonly user: string; readonly hostKey: string } }
}

/** A way in that is open. */
export interface Started {
  readonly way: SshWay
  stop(): Promise<void>
}
