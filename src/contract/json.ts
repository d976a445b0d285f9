/** A value that survives JSON unchanged; what changes, checkpoints, outputs and journal records are made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

export type JsonObject = { readonly [key: string]: Json | undefined }
