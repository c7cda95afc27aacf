Progress.start()
let answer = Tool.run(.process)
Progress.stop()
StandardStreams.finish(with: answer)
