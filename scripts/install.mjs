// Installs the npm packages that are missing: all of them, or with the argument `demo` only those that `make dev` needs.
import { installPackages } from './packages.mjs'

installPackages({ demoOnly: process.argv[2] === 'demo' })
