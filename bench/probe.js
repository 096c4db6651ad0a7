// Loaded into every measured server before its own code. Idle until asked; ends the server with the benchmark.
// It collects garbage before it answers, so that memory figures compare live memory, not garbage.
process.on('message', async (question) => {
  if (question !== 'memory') return
  for (let round = 0; round < 3; round++) {
    globalThis.gc()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const { heapUsed, external } = process.memoryUsage()
  process.send({ heapBytes: heapUsed + external })
})
process.on('disconnect', () => process.exit(0))
process.channel?.unref()
