// Installs the npm packages that are missing: all of them, or only those of `make dev` with the argument `demo`.
import { installPackages } from './packages.mjs'

installPackages({ demoOnly: process.argv[2] === 'demo' })
