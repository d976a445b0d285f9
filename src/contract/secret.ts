const values = new WeakMap<object, unknown>()

/**
 * A value that prints as `***` wherever it lands: in templates, JSON, `console`, errors. Only `reveal()` gives it away,
 * so that every place where a secret leaves the tool can be found by searching for that word.
 */
export class Secret<T = string> {
  constructor(value: T) {
    values.set(this, value)
  }

  reveal(): T {
    return values.get(this) as T
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***'
  }
}
