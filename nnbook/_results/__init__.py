"Results of the long runs, as the chapters' slow cells wrote them; `nnbook.running.stored` reads them."
