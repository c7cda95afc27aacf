let answer = Tool.run(.process)
StandardStreams.finish(with: answer)
