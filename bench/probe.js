// Loaded into every measured server before its own code. It does nothing until asked, and ends the server when the bench is gone.
// It collects garbage before it answers, so that memory figures compare what is held, not what has not been collected yet.
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
