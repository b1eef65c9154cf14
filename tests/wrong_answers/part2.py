"Plausible wrong answers to the question that opens Part II."

WRONG = {
    "part2.1": [
        'wrong = {"A": "large", "B": "cleared", "C": "zero", "D": "small"}',
        'wrong = {"A": "cleared", "B": "large", "C": "small", "D": "zero"}',
        'wrong = {"A": "cleared", "B": "large", "C": "zero", "D": "zero"}',
        'wrong = {"A": "cleared", "B": "large", "C": "zero"}',
        'wrong = {"A": "gradients", "B": "rate", "C": "weights", "D": "rate"}',
        'wrong = ["cleared", "large", "zero", "small"]',
    ],
}
