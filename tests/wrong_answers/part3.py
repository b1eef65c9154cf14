"Plausible wrong answers to the question that opens Part III."

WRONG = {
    "part3.1": [
        'which = {"A": "strides", "B": "average", "C": "whole", "D": "stride"}',
        'which = {"A": "stride", "B": "whole", "C": "average", "D": "strides"}',
        'which = {"A": "whole", "B": "strides", "C": "average", "D": "stride"}',
        'which = {"A": "strides", "B": "whole", "C": "average", "D": "average"}',
        'which = {"A": "strides", "B": "whole", "C": "average"}',
        'which = {"A": "convolution", "B": "dense", "C": "average", "D": "pool"}',
        'which = ["strides", "whole", "average", "stride"]',
        'which = "strides"',
    ],
}
