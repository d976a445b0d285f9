/** What is made once for each key, whoever asks for it meanwhile; what could not be made is tried again by the next who asks. */
export class OnceEach<T> {
  readonly #made = new Map<string, Promise<T>>()

  async get(key: string, make: () => Promise<T>): Promise<T> {
    const made = this.#made.get(key) ?? make()
    this.#made.set(key, made)
    try {
      return await made
    } catch (error) {
      this.#made.delete(key)
      throw error
    }
  }
}
