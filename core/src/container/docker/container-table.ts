import type { DockerContainer } from './docker-container.ts'

/** The containers that a factory knows: those that are there, and the names of those that are being created, which the
 *  engine may list before their ids are known. */
export class ContainerTable {
  readonly #containers = new Map<string, DockerContainer>()
  readonly #making = new Map<string, string>()
  readonly #life: string

  /** `life` tells names of this factory's containers from those of earlier ones. */
  constructor(life: string) {
    this.#life = life
  }

  /** The name on the engine for a container of this name; in the making until `made`. */
  make(name: string): string {
    const unique = `${name.replace(/[^A-Za-z0-9_.-]/g, '')}_${this.#life}`
    this.#making.set(name, unique)
    return unique
  }

  made(name: string): void {
    this.#making.delete(name)
  }

  enter(container: DockerContainer): void {
    this.#containers.set(container.id, container)
  }

  leave(container: DockerContainer): void {
    this.#containers.delete(container.id)
  }

  get(id: string): DockerContainer | undefined {
    return this.#containers.get(id)
  }

  all(): DockerContainer[] {
    return [...this.#containers.values()]
  }

  knows(id: string, name: string): boolean {
    return this.#containers.has(id) || this.#making.has(name)
  }
}
