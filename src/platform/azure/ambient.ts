/** Variables by which the SDKs, their login library and their proxy policy let themselves be told things unasked. */
const heeded = /^(AZURE|MSAL|MSI|IDENTITY|IMDS)_|^REGION_NAME$|^(HTTPS?|ALL|NO)_PROXY$/i

/**
 * Takes out of the process's environment what the SDKs read there by themselves and cannot be told not to: a region for
 * logins, log levels, proxies. For clouds whose file says what the environment is, so that nothing else is looked at
 * (design §9). Before the SDKs are loaded: some of them read it only then.
 */
export function forgetAmbient(environment: Record<string, string | undefined>): void {
  for (const name of Object.keys(environment)) if (heeded.test(name)) Reflect.deleteProperty(environment, name)
}
