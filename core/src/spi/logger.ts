/** What the parts need of a logger: pino's shape. Data in fields, a constant message; never keys, parameters, payloads. */
export interface Logger {
  error(fields: object, message: string): void
  warn(fields: object, message: string): void
  info(fields: object, message: string): void
  debug(fields: object, message: string): void
  child(bindings: Record<string, unknown>): Logger
}
